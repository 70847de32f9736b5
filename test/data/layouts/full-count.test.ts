import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { classCount } from '../../../src/data/layouts/archive.js';
import { findLayout } from '../../../src/data/layouts/find-layout.js';
import { LONG } from '../../long.js';
import { MADE, type MadeArchive, writeLists } from './made-archives.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'eat-dml-full-'));
});
afterEach(() => rm(root, { recursive: true }));

const { folder: _, ...LISTED } = MADE;

/** The file of an archive without the line of its `image`th image. */
function without(made: MadeArchive, list: string, line: number): MadeArchive {
  const lines = (made.lists[list] as string).split('\n');
  return { ...made, lists: { ...made.lists, [list]: lines.toSpliced(line, 1).join('\n') } };
}

describe('archives of the published size', () => {
  // The union of CARS has the images of the devkit and a file that takes seconds; made-small archives have its layout, too.
  const listed = Object.entries(LISTED).filter(([name]) => LONG || name !== 'carsUnion');
  test.each(listed)('%s', async (_, make) => {
    const made = make();
    writeLists(root, made);
    const found = await findLayout(root);
    expect(found.layout).toBe(made.layout);
    const archive = await found.read({ stat: false });
    const sides = Object.entries(archive.sides).map(([name, rows]) => [name, [rows.length, classCount(archive, rows)]]);
    expect(Object.fromEntries(sides)).toEqual(made.sides);
    const prefix = made.layout === 'in-shop' ? 'Img/' : '';
    expect(archive.files.map((file) => prefix + file)).toEqual(made.images);
  });

  const refused = async (made: MadeArchive) => {
    writeLists(root, made);
    return findLayout(root)
      .then(({ read }) => read({ stat: false }))
      .then(
        () => 'read',
        ({ code, message }) => `${code}: ${message}`,
      );
  };

  test('one that should have all images, and lacks one, is refused', async () => {
    const sop = await refused(without(MADE.sop(), 'Ebay_train.txt', 8));
    const expected = 'Expected the published 59551 images of 11318 classes in train but received 59550 of 11318 in ';
    expect(sop).toBe(`ERR_DATA: ${expected}${join(root, 'Ebay_train.txt')}.`);
  });

  test('of CUB, where its labels lack it too', async () => {
    const cub = without(without(MADE.cub200(), 'images.txt', 7000), 'image_class_labels.txt', 7000);
    expect(await refused(cub)).toMatch(
      /published 5924 images of 100 classes in test but received 5923 of 100 in .*images.txt/,
    );
  });

  test('of CARS', async () => {
    const cars = await refused(without(MADE.carsKaggle(), 'anno_test.csv', 0));
    expect(cars).toMatch(/published 8054 images of 98 classes in train but received 8053 of 98 in .*anno_train.csv/);
  });

  test('of In-Shop, whose list says how many it has; said less, it is a miniature', async () => {
    const list = 'Eval/list_eval_partition.txt';
    const made = without(MADE.inShop(), list, 5);
    expect(await refused(made)).toMatch(/52712 images, as its first line says, but received 52711 in .*partition.txt/);
    const text = (made.lists[list] as string).replace('52712', '52711');
    expect(await refused({ ...made, lists: { [list]: text } })).toBe('read');
  });
});
