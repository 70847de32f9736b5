import type fs from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { inspect } from '../../../src/data/inspect.js';
import type { Archive } from '../../../src/data/layouts/archive.js';
import { findLayout } from '../../../src/data/layouts/find-layout.js';
import { EatDmlError } from '../../../src/errors.js';
import { drawFrom } from '../../fuzz/draw.js';
import { LONG } from '../../long.js';
import { FIXTURES } from './damaged.js';
import { mutatedList, mutatedMat } from './mutate.js';

/** Every path that is looked at or read. */
const touched = vi.hoisted(() => new Set<string>());

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const stat = (path: string, then: Parameters<typeof real.stat>[1]) => {
    touched.add(path);
    real.stat(path, then as never);
  };
  return { ...real, stat };
});

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs.promises>();
  const noted = (name: 'stat' | 'readFile' | 'readdir') => [
    name,
    (path: string, ...rest: never[]) => {
      touched.add(path);
      return (real[name] as (...args: unknown[]) => unknown)(path, ...rest);
    },
  ];
  return { ...real, ...Object.fromEntries([noted('stat'), noted('readFile'), noted('readdir')]) };
});

const MATS = 'test/goldens/mat';
/** Each miniature, the layout it is read as, and its lists; of a .mat file the one that is not compressed. */
const TARGETS: [miniature: string, layout: string, lists: string[]][] = [
  ['CUB_200_2011', 'cub200', ['images.txt', 'image_class_labels.txt', 'classes.txt']],
  ['Stanford_Online_Products', 'sop', ['Ebay_train.txt', 'Ebay_test.txt']],
  ['inshop', 'in-shop', ['Eval/list_eval_partition.txt']],
  ['cars_kaggle', 'cars196/kaggle', ['anno_train.csv', 'anno_test.csv', 'names.csv']],
  ['cars_union', 'cars196/union', ['cars_annos.mat']],
  [
    'cars_devkit',
    'cars196/devkit',
    ['devkit/cars_train_annos.mat', 'devkit/cars_meta.mat', 'cars_test_annos_withlabels.mat'],
  ],
  ['own', 'folder', ['split.txt']],
];

let top: string;
const content = new Map<string, Buffer>();
const originals = new Map<string, Buffer>();

beforeAll(async () => {
  const { readFile } = await vi.importActual<typeof fs.promises>('node:fs/promises');
  top = await mkdtemp(join(tmpdir(), 'eat-dml-fuzz-'));
  await writeFile(join(top, 'outside.jpg'), 'not to be read');
  for (const [miniature, , lists] of TARGETS) {
    const own = miniature === 'own';
    await mkdir(join(top, 'in'), { recursive: true });
    await cp(join(FIXTURES, own ? 'CUB_200_2011/images' : miniature), join(top, 'in', miniature), { recursive: true });
    if (own) await writeFile(join(top, 'in', 'own', 'split.txt'), SPLIT);
    for (const list of lists) {
      const path = join(top, 'in', miniature, list);
      originals.set(path, await readFile(path));
      const plain = join(MATS, list.split('/').at(-1)!.replace('.mat', '.plain.mat'));
      content.set(path, await readFile(list.endsWith('.mat') ? plain : path));
    }
  }
});
afterAll(() => rm(top, { recursive: true }));

const SPLIT = `001.Black_footed_Albatross train
009.Brewer_Blackbird train
100.Brown_Pelican/Brown_Pelican_0118_94042.jpg train
100.Brown_Pelican/Brown_Pelican_0122_94022.jpg validation
101.White_Pelican query
108.White_necked_Raven gallery
200.Common_Yellowthroat test
`;

/** What an archive must be, whatever its lists say. */
function checkArchive({ files, labels, sides, root }: Archive, home: string): void {
  expect(labels.length).toBe(files.length);
  const indices = Object.values(sides).flatMap((rows) => [...rows]);
  expect(indices.sort((a, b) => a - b)).toEqual([...files.keys()]);
  for (const file of files) expect(resolve(root, file).startsWith(resolve(home) + sep), file).toBe(true);
  expect(labels.every((label) => label >= 0)).toBe(true);
}

/** Reads one mutated archive, and inspects it. */
async function one(number: number): Promise<'read' | 'refused'> {
  const draw = drawFrom(1, 'layouts', number);
  const [miniature, layout, lists] = draw.pick(TARGETS);
  const home = join(top, 'in', miniature);
  const path = join(home, draw.pick(lists));
  const mutate = path.endsWith('.mat') ? mutatedMat : (bytes: Uint8Array) => mutatedList(`${bytes}`, draw);
  await writeFile(path, mutate(content.get(path)!, draw));
  touched.clear();
  try {
    const found = await findLayout(home, layout);
    const outcome = await found.read({ stat: draw.chance(0.5) }).catch((error: unknown) => error);
    const { faults, images, splits } = await inspect(home, { as: layout });
    expect(Object.values(splits).reduce((sum, side) => sum + side.images, 0)).toBe(images);
    for (const path of touched) expect(`${resolve(path)}${sep}`.startsWith(resolve(home) + sep), path).toBe(true);
    if (!(outcome instanceof Error)) {
      checkArchive(outcome as Archive, home);
      return 'read';
    }
    expect(outcome).toBeInstanceOf(EatDmlError);
    expect(outcome).toMatchObject({ code: 'ERR_DATA' });
    // It names a file or a folder, and is one sentence of bounded length.
    expect(outcome.message).toContain(home);
    expect(outcome.message).toMatch(/^Expected .* but received .*\.$/s);
    expect(outcome.message.length).toBeLessThan(8000);
    expect(faults[0] === undefined || faults[0].includes(top)).toBe(true);
    return 'refused';
  } finally {
    await writeFile(path, originals.get(path)!);
  }
}

test('mutated lists: one clear error each, and nothing outside of the archive is looked at', async () => {
  const outcomes = { read: 0, refused: 0 };
  for (let number = 0; number < (LONG ? 2000 : 300); number++) {
    const outcome = await one(number).catch((error) => {
      throw new Error(`list ${number}: ${error.message}`, { cause: error });
    });
    outcomes[outcome]++;
  }
  // Neither all refused nor all let through.
  expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(30);
});

test('the guard sees what is looked at', async () => {
  touched.clear();
  const home = join(top, 'in', 'own');
  await (await findLayout(home, 'folder')).read();
  const inside = (name: string) => [...touched].some((path) => path.endsWith(name));
  expect(inside('split.txt') && inside('own') && inside('Brown_Pelican_0118_94042.jpg')).toBe(true);
});
