import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Archive } from '../../../src/data/layouts/archive.js';
import { cars196, cars196Devkit, cars196Kaggle, cars196Union } from '../../../src/data/layouts/cars196.js';
import { cub200 } from '../../../src/data/layouts/cub200.js';
import { findLayout, LAYOUT_NAMES } from '../../../src/data/layouts/find-layout.js';
import { inShop } from '../../../src/data/layouts/in-shop.js';
import { sop } from '../../../src/data/layouts/sop.js';

const FIXTURES = 'test/data/fixtures';
const at = (name: string) => join(FIXTURES, name);
const expected = JSON.parse(await readFile(at('expected.json'), 'utf8'));

/** Files with their labels, side by side. */
const pairs = ({ files, labels, sides }: Archive, side: string) =>
  Array.from(sides[side], (i) => [files[i], labels[i]]);
const all = ({ files, labels }: Archive) => files.map((file, i) => [file, labels[i]]);

const CARS = { lastTrainClass: 2 };
const NAMES = [
  'AM General Hummer SUV 2000',
  'Bugatti Veyron 16.4 Coupe 2009',
  'Ram C/V Cargo Van Minivan 2012',
  'smart fortwo Convertible 2012',
];

describe('the miniature archives', () => {
  test('CUB-200-2011, and its lists with CRLF', async () => {
    for (const archive of [await cub200(at('CUB_200_2011')), await cub200(at('CUB_crlf'), { stat: false })]) {
      expect(archive.layout).toBe('cub200');
      expect(Object.keys(archive.sides)).toEqual(['train', 'test']);
      expect(pairs(archive, 'train')).toEqual(expected.cub.train);
      expect(pairs(archive, 'test')).toEqual(expected.cub.test);
      expect(archive.classNames.get(108)).toBe('108.White_necked_Raven');
      expect(archive.classNames.size).toBe(6);
    }
  });

  test('CARS196 in one list', async () => {
    const archive = await cars196Union(at('cars_union'), CARS);
    expect(archive.layout).toBe('cars196/union');
    expect(all(archive)).toEqual(expected.cars.union);
    expect([...archive.classNames]).toEqual(NAMES.map((name, i) => [i + 1, name]));
    expect([...archive.sides.train]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...archive.sides.test]).toEqual([6, 7, 8, 9, 10, 11]);
  });

  test("CARS196's devkit: the lists of train and test are pooled, then split by class", async () => {
    const archive = await cars196Devkit(at('cars_devkit'), CARS);
    expect(archive.layout).toBe('cars196/devkit');
    expect(all(archive)).toEqual(expected.cars.devkit);
    expect([...archive.classNames.values()]).toEqual(NAMES);
    const isTrain = expected.cars.devkit.map(([, label]: [string, number]) => label <= 2);
    expect([...archive.sides.train]).toEqual([...archive.files.keys()].filter((i) => isTrain[i]));
    expect([...archive.sides.test]).toEqual([...archive.files.keys()].filter((i) => !isTrain[i]));
  });

  test('CARS196 from Kaggle: the same images in folders of classes', async () => {
    const archive = await cars196Kaggle(at('cars_kaggle'), CARS);
    expect(archive.layout).toBe('cars196/kaggle');
    const decoded = Object.keys(expected.decoded).filter((file) => file.startsWith('cars_kaggle/'));
    expect(archive.files.map((file) => `cars_kaggle/${file}`)).toEqual(decoded);
    expect([...archive.labels]).toEqual(expected.cars.devkit.map(([, label]: [string, number]) => label));
    expect([...archive.classNames.values()]).toEqual(NAMES);
  });

  test("CARS196's sides are of classes 1 to 98 and the rest unless it is said", async () => {
    const { sides } = await cars196Union(at('cars_union'));
    expect([sides.train.length, sides.test.length]).toEqual([12, 0]);
  });

  test('In-Shop: queries and gallery', async () => {
    const archive = await inShop(at('inshop'));
    expect(archive).toMatchObject({ layout: 'in-shop', root: join(FIXTURES, 'inshop', 'Img') });
    expect(Object.keys(archive.sides)).toEqual(['train', 'query', 'gallery']);
    for (const side of ['train', 'query', 'gallery']) {
      const named = pairs(archive, side).map(([file, label]) => [file, archive.classNames.get(label as number)]);
      expect(named).toEqual(expected.inshop[side]);
      for (const [, label] of pairs(archive, side)) {
        expect(archive.classNames.get(label as number)).toBe(`id_${String(label).padStart(8, '0')}`);
      }
    }
  });

  test('Stanford Online Products', async () => {
    const archive = await sop(at('Stanford_Online_Products'));
    expect(archive.layout).toBe('sop');
    expect(pairs(archive, 'train')).toEqual(expected.sop.train);
    expect(pairs(archive, 'test')).toEqual(expected.sop.test);
    expect(archive.classNames.size).toBe(0);
  });

  test('every picture that was made is in one of them', async () => {
    const found = ['CUB_200_2011', 'cars_union', 'cars_devkit', 'cars_kaggle', 'inshop', 'Stanford_Online_Products'];
    const files = await Promise.all(
      found.map(async (name) => {
        const { root, files } = await (await findLayout(at(name))).read();
        return files.map((file) => join(root, file).slice(FIXTURES.length + 1));
      }),
    );
    expect(files.flat().sort()).toEqual(Object.keys(expected.decoded).sort());
  });
});

describe('which layout a folder has', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eat-dml-layouts-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const layouts = [
    ['CUB_200_2011', 'cub200'],
    ['CUB_200_2011/images', 'folder'],
    ['cars_union', 'cars196/union'],
    ['cars_devkit', 'cars196/devkit'],
    ['cars_kaggle', 'cars196/kaggle'],
    ['inshop', 'in-shop'],
    ['Stanford_Online_Products', 'sop'],
  ];
  test.each(layouts)('%s is %s', async (name, layout) => {
    expect(await findLayout(at(name))).toMatchObject({ layout, root: at(name) });
    expect(await findLayout(at(name), layout)).toMatchObject({ layout, root: at(name) });
    expect(await findLayout(at(name), layout.split('/')[0])).toMatchObject({ layout, root: at(name) });
  });

  test('one that lies in a folder of its own name', async () => {
    await symlink(resolve(at('CUB_200_2011')), join(folder, 'CUB_200_2011'));
    expect(await findLayout(folder)).toMatchObject({ layout: 'cub200', root: join(folder, 'CUB_200_2011') });
    expect(await cars196(at('cars_devkit'), CARS)).toMatchObject({ layout: 'cars196/devkit' });
  });

  test('of several, the one that is asked for', async () => {
    const message = 'Expected one archive in test/data/fixtures but found 3: ';
    await expect(findLayout(FIXTURES)).rejects.toThrow(
      `${message}cub200 in ${at('CUB_200_2011')}, in-shop in ${at('inshop')}, sop in ${at('Stanford_Online_Products')}.`,
    );
    await expect(cars196('test/goldens/mat')).rejects.toThrow(
      /found 2: cars196\/union in .*, cars196\/devkit in .*mat\.$/,
    );
    expect(await findLayout(FIXTURES, 'sop')).toMatchObject({ layout: 'sop', root: at('Stanford_Online_Products') });
  });

  test('none, and why', async () => {
    const looked = /found none of: cub200 \(images.txt and .*\); cars196\/union \(cars_annos.mat\); .* folder \(/;
    await expect(findLayout('test/goldens/checkpoint-1')).rejects.toThrow(looked);
    await expect(findLayout(at('inshop'), 'sop')).rejects.toThrow(
      /none of: sop \(Ebay_train.txt and Ebay_test.txt\)\.$/,
    );
    await expect(findLayout(at('none'))).rejects.toThrow(/a folder but received none at .*none/);
    await expect(findLayout(at('expected.json'))).rejects.toThrow(/a folder but received a file at .*expected.json/);
    await expect(findLayout(at('inshop'), 'in_shop')).rejects.toThrow(/for as but received "in_shop"; did you mean/);
    expect(LAYOUT_NAMES).toEqual([
      'cub200',
      'cars196',
      'cars196/union',
      'cars196/devkit',
      'cars196/kaggle',
      'in-shop',
      'sop',
      'folder',
    ]);
  });
});
