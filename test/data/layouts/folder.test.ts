import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Archive } from '../../../src/data/layouts/archive.js';
import { findLayout } from '../../../src/data/layouts/find-layout.js';
import { folder } from '../../../src/data/layouts/folder.js';
import { damaged } from './damaged.js';

const { at } = damaged();

async function make(...files: string[]): Promise<void> {
  for (const file of files) {
    await mkdir(dirname(at(file)), { recursive: true });
    await writeFile(at(file), 'x');
  }
}

const side = ({ files, sides }: Archive, name: string) => Array.from(sides[name], (i) => files[i]);
const names = ({ classNames }: Archive) => [...classNames.values()];

describe('a folder of classes', () => {
  test('classes by name, from 0; the first half, rounded down, is for training', async () => {
    await make('b/2.PNG', 'b/1.jpg', 'a c/x.JPEG', 'B/y.webp', 'd-e/deep/er/z.tif', 'd-e/x.gif');
    // What is no image is passed over.
    await make(
      'b/._1.jpg',
      'b/Thumbs.db',
      'b/.hidden/3.jpg',
      '.git/a.jpg',
      '__MACOSX/b/1.jpg',
      'README.jpg',
      'b/notes.txt',
    );
    const found = await findLayout(at());
    expect(found).toMatchObject({ layout: 'folder', root: at() });
    const archive = await found.read();
    expect(names(archive)).toEqual(['B', 'a c', 'b', 'd-e']);
    expect(archive.files).toEqual(['B/y.webp', 'a c/x.JPEG', 'b/1.jpg', 'b/2.PNG', 'd-e/deep/er/z.tif', 'd-e/x.gif']);
    expect([...archive.labels]).toEqual([0, 1, 2, 2, 3, 3]);
    expect(side(archive, 'train')).toEqual(['B/y.webp', 'a c/x.JPEG']);
    expect(side(archive, 'test')).toEqual(archive.files.slice(2));
    await make('z/1.jpg');
    expect([...(await folder(at())).sides.train]).toEqual([0, 1]);
  });

  test('trainClasses, by number or by name', async () => {
    await make('a/1.jpg', 'b/1.jpg', 'c/1.jpg');
    expect(side(await folder(at(), { trainClasses: 2 }), 'train')).toEqual(['a/1.jpg', 'b/1.jpg']);
    expect(side(await folder(at(), { trainClasses: ['c'] }), 'train')).toEqual(['c/1.jpg']);
    const refused = (trainClasses: unknown) => expect(folder(at(), { trainClasses } as never)).rejects;
    await refused(3).toThrow(/1 to 2 of 3 classes for trainClasses but received 3/);
    await refused(['a', 'b', 'c']).toThrow(/1 to 2 of 3 classes/);
    await refused([]).toThrow(/1 to 2 of 3 classes/);
    await refused(['x']).toThrow(/names of class folders for trainClasses but received "x"/);
    await refused(0).toMatchObject({ code: 'ERR_ARGUMENT' });
    await refused('a').toThrow(
      /how many of the sorted class folders, or their names for trainClasses but received "a"/,
    );
  });

  test('folders of sides, whose classes are numbered together', async () => {
    await make('train/b/1.jpg', 'train/a/1.jpg', 'test/c/1.jpg', 'test/b/2.jpg');
    const archive = await (await findLayout(at())).read();
    expect(names(archive)).toEqual(['a', 'b', 'c']);
    expect(archive.files).toEqual(['train/a/1.jpg', 'train/b/1.jpg', 'test/b/2.jpg', 'test/c/1.jpg']);
    expect([...archive.labels]).toEqual([0, 1, 1, 2]);
    expect(Object.entries(archive.sides)).toEqual([
      ['train', Int32Array.of(0, 1)],
      ['test', Int32Array.of(2, 3)],
    ]);
    await expect(folder(at(), { trainClasses: 1 })).rejects.toThrow(/no value where .* has the folder train/);
    await make('other/1.jpg');
    expect(names(await folder(at()))).toEqual(['other', 'test', 'train']);
  });

  test.each(['val', 'tset', 'Test'])('train beside %s is no set of two classes', async (other) => {
    await make('train/a/1.jpg', 'train/b/1.jpg', `${other}/a/1.jpg`, `${other}/b/1.jpg`);
    await expect(folder(at())).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: `Expected no folder but train, validation, test, query, gallery beside train but received ${other} in ${at()}.`,
    });
  });

  test('a class may be named as a side', async () => {
    await make('train/1.jpg', 'bus/deep/1.jpg', 'car/1.jpg');
    expect(names(await folder(at()))).toEqual(['bus', 'car', 'train']);
  });

  test('links are followed, once', async () => {
    await make('a/1.jpg', 'b/1.jpg');
    await symlink(at('a'), at('c'));
    await symlink(at(), at('b', 'round'));
    await symlink(at('a', '1.jpg'), at('b', '2.jpg'));
    await symlink(at('nowhere'), at('d'));
    expect((await folder(at())).files).toEqual(['a/1.jpg', 'b/1.jpg', 'b/2.jpg', 'c/1.jpg']);
  });

  test('what is no such folder', async () => {
    await make('a/1.jpg');
    await expect(findLayout(at())).rejects.toThrow(
      `Expected at least 2 folders of images in ${at()} but received 1 (a).`,
    );
    await expect(folder(at())).rejects.toThrow(/at least 2 folders of images but received 1 in /);
    await mkdir(at('b'));
    await expect(folder(at())).rejects.toThrow(`Expected at least one image but received none in ${at('b')}.`);
    await expect(folder(at('none'))).rejects.toThrow(
      `Expected a readable folder but received ENOENT at ${at('none')}.`,
    );
    await writeFile(at('b', '1.jpg'), '');
    await expect(folder(at())).rejects.toThrow(`received an empty file at ${at('b', '1.jpg')}`);
    expect((await folder(at(), { stat: false })).files.length).toBe(2);
    const signal = AbortSignal.abort();
    await expect(folder(at(), { stat: false, signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});

describe('what holds no folder of images for each class says what it holds', () => {
  test.each<[string, string[], RegExp, RegExp]>([
    [
      'images that lie in it',
      ['1.jpg', '2.png', 'notes/x.txt'],
      /for each class in .* but received 2 images that/,
      /^Each/,
    ],
    [
      'other pictures by class',
      ['a/1.bmp', 'b/2.BMP'],
      /2 folders of JPEG, .* images in .* received 2 \.bmp files/,
      /^Convert/,
    ],
    ['other pictures', ['1.heic', '2.avif'], /received 1 \.heic file and 1 \.avif file\.$/, /^Convert them to JPEG/],
    ['one class of images', ['a/1.jpg', 'b/2.bmp'], /received 1 \(a\), beside 1 \.bmp file\./, /^Convert/],
    ['classes further below', ['x/a/1.jpg', 'x/b/1.jpg', 'y.txt'], /received them in x below it/, /^Name .*x\.$/],
    [
      'nothing of the kind',
      ['x.txt'],
      /found none of: (.*; )?folder \(a folder of images for each class\)/,
      /unpacked/,
    ],
  ])('%s', async (_, files, message, hint) => {
    await make(...files);
    const fault = { code: 'ERR_DATA', message: expect.stringMatching(message), hint: expect.stringMatching(hint) };
    await expect(findLayout(at())).rejects.toMatchObject(fault);
    await expect(findLayout(at(), 'folder')).rejects.toMatchObject(fault);
  });

  test('a class whose pictures are of another kind', async () => {
    await make('a/1.jpg', 'b/1.jpg', 'c/1.bmp', 'c/2.bmp');
    await expect(folder(at())).rejects.toMatchObject({
      message: `Expected at least one image but received 2 .bmp files in ${at('c')}.`,
      hint: 'Convert them to JPEG, PNG, WebP, GIF or TIFF.',
    });
  });
});

describe('a split file', () => {
  const split = (text: string) => writeFile(at('split.txt'), text);

  test('of classes, or of images', async () => {
    await make('a/1.jpg', 'a/2.jpg', 'b c/1.jpg', 'd/1 2.jpg');
    await split('b c train\r\na/1.jpg,query\na/2.jpg  gallery\n\nd, test');
    const archive = await (await findLayout(at())).read();
    expect(Object.keys(archive.sides)).toEqual(['train', 'test', 'query', 'gallery']);
    expect(side(archive, 'train')).toEqual(['b c/1.jpg']);
    expect(side(archive, 'query')).toEqual(['a/1.jpg']);
    expect(side(archive, 'gallery')).toEqual(['a/2.jpg']);
    expect(side(archive, 'test')).toEqual(['d/1 2.jpg']);
    await writeFile(at('other.txt'), 'a train\nb c test\nd/1 2.jpg test');
    expect(side(await folder(at(), { splitFile: at('other.txt') }), 'train')).toEqual(['a/1.jpg', 'a/2.jpg']);
    expect(side(await folder(at(), { trainClasses: 1 }), 'train')).toEqual(['a/1.jpg', 'a/2.jpg']);
  });

  test.each<[string, string, RegExp]>([
    [
      'no side',
      'a train\nb',
      /a class folder or an image, and one of train, .*, but received "b" in .*split.txt, line 2/,
    ],
    ['another side', 'a train\nb val', /one of train, validation, .* but received "b val"/],
    ['no such class', 'a train\nx test', /a class folder or an image that there is but received "x" in .*, line 2/],
    ['one outside', 'a train\n../b/1.jpg test', /that there is but received "..\/b\/1.jpg"/],
    ['a class twice', 'a train\na test', /each class folder or image once but received "a again" in .*, line 2/],
    [
      'a class and its image',
      'a train\nb test\na/1.jpg test',
      /no image of a, which has a line, but received "a\/1.jpg" in .*line 3/,
    ],
    ['an image left out', 'a train', /a side of b\/1.jpg, or of its class, but received none in .*split.txt\.$/],
  ])('%s', async (_, text, message) => {
    await make('a/1.jpg', 'b/1.jpg');
    await split(text);
    await expect(folder(at())).rejects.toThrow(message);
  });

  test('that is missing, or beside trainClasses', async () => {
    await make('a/1.jpg', 'b/1.jpg');
    await expect(folder(at(), { splitFile: at('x.txt') })).rejects.toThrow(
      /a readable file but received none at .*x.txt/,
    );
    await expect(folder(at(), { splitFile: 'x', trainClasses: 1 })).rejects.toThrow(
      /no value beside trainClasses for splitFile/,
    );
  });
});
