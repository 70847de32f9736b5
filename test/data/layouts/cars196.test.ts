import { mkdir, rename, rmdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { findLayout } from '../../../src/data/layouts/find-layout.js';
import { array, CLASS, element, headed, matrix, STORED, small, struct, texts } from '../mat5-writer.js';
import { damaged, withLine } from './damaged.js';

const { at, copy, said } = damaged();

describe('CARS', () => {
  const fields = ['relative_im_path', 'class'];
  const row = (file: string, label: number) => [texts('', file), small(label)];
  const annos = (...rows: Uint8Array[][]) => Buffer.concat([headed(true), struct('annotations', fields, rows)]);
  const good = row('car_ims/000001.jpg', 1);

  test.each<[string, Uint8Array, RegExp | string]>([
    [
      'class 197',
      annos(good, row('car_ims/000002.jpg', 197)),
      'Expected a class from 1 to 196 but received 197 in ROOT/cars_annos.mat, annotations(2).class.',
    ],
    [
      'a class that is text',
      annos([texts('', 'car_ims/000001.jpg'), texts('', '1')]),
      /a class from 1 to 196 but received "text" in .*\(1\).class/,
    ],
    [
      'half a class',
      annos([good[0], array('', CLASS.double, [1, 1], element(STORED.double, [1.5], true), true)]),
      /196 but received 1.5/,
    ],
    [
      'a path that leaves the root',
      annos(row('../a.jpg', 1)),
      /inside of the archive .* but received "..\/a.jpg" in ROOT\/cars_annos.mat, annotations\(1\).relative_im_path/,
    ],
    ['a path that is a number', annos([small(1), small(1)]), /inside of the archive .* but received "numbers"/],
    [
      'an image twice',
      annos(good, good),
      'Expected each image once but received car_ims/000001.jpg again in ROOT/cars_annos.mat.',
    ],
    [
      'an image that is not there',
      annos(row('car_ims/1.jpg', 1)),
      /none at ROOT\/car_ims\/1.jpg, listed in ROOT\/cars_annos.mat/,
    ],
    [
      'no annotations',
      Buffer.concat([headed(true), texts('x', 'y')]),
      /a struct annotations with the field relative_im_path but received "none"/,
    ],
    [
      'annotations that are text',
      Buffer.concat([headed(true), texts('annotations', 'y')]),
      /with the field .* but received "text"/,
    ],
    [
      'no field',
      Buffer.concat([headed(true), struct('annotations', ['fname'], [[good[0]]])]),
      /relative_im_path but received "fname"/,
    ],
    [
      'names that are none',
      Buffer.concat([annos(good), matrix('class_names', CLASS.cell, [1, 1], [small(1)])]),
      /a cell of texts as class_names/,
    ],
    [
      'a class without a name',
      Buffer.concat([annos(row('car_ims/000001.jpg', 2)), matrix('class_names', CLASS.cell, [1, 1], [texts('', 'a')])]),
      /from 1 to 1 but received 2/,
    ],
    ['half a file', annos(good).subarray(0, 300), /at byte \d+ of ROOT\/cars_annos.mat\.$/],
    ['a good one', annos(good), 'read'],
  ])('%s', async (_, bytes, message) => {
    const outcome = await said('cars_union', 'cars_annos.mat', bytes);
    if (typeof message === 'string') expect(outcome.replace('ERR_DATA: ', '')).toBe(message);
    else expect(outcome).toMatch(message);
  });

  test('a devkit without the classes of its test images', async () => {
    expect(await said('cars_devkit', 'cars_test_annos_withlabels.mat')).toBe(
      'ERR_DATA: Expected cars_test_annos_withlabels.mat but received cars_test_annos.mat alone in ROOT.',
    );
  });

  test('Kaggle: pictures in one folder less, or none', async () => {
    await copy('cars_kaggle');
    await rename(at('car_data', 'car_data'), at('inner'));
    await rmdir(at('car_data'));
    await rename(at('inner'), at('car_data'));
    const first = async () => (await (await findLayout(at())).read()).files[0];
    expect(await first()).toBe('car_data/train/AM General Hummer SUV 2000/00001.jpg');
    for (const side of ['train', 'test']) await rename(at('car_data', side), at(side));
    expect(await first()).toBe('train/AM General Hummer SUV 2000/00001.jpg');
  });

  test('one with the labels in the devkit, and folders once more in themselves', async () => {
    await copy('cars_devkit');
    await rename(at('cars_test_annos_withlabels.mat'), at('devkit', 'cars_test_annos_withlabels.mat'));
    await rename(at('cars_test'), at('inner'));
    await mkdir(at('cars_test'));
    await rename(at('inner'), at('cars_test', 'cars_test'));
    const { files } = await (await findLayout(at())).read();
    expect(files[6]).toBe('cars_test/cars_test/00001.jpg');
  });

  test.each<[string, string, number, string, RegExp]>([
    [
      'a column less',
      'anno_train.csv',
      2,
      '00002.jpg,39,116,569,2',
      /6 columns \(file x1 y1 x2 y2 class\) but received "5: .*" in ROOT\/anno_train.csv, line 2/,
    ],
    [
      'a class without name',
      'anno_train.csv',
      2,
      '00002.jpg,39,116,569,375,5',
      /from 1 to 4 for class but received "5"/,
    ],
    [
      'a corner that is no number',
      'anno_train.csv',
      2,
      '00002.jpg,39,x,569,375,2',
      /an integer >= 0 for y1 but received "x"/,
    ],
    [
      'a path that leaves the root',
      'anno_test.csv',
      2,
      '../2.jpg,39,116,569,375,2',
      /inside of the archive .* but received "..\/2.jpg" in ROOT\/anno_test.csv, line 2/,
    ],
    [
      'an image twice',
      'anno_test.csv',
      2,
      '00001.jpg,30,52,246,147,2',
      /each image once but received .*Coupe 2009\/00001.jpg again/,
    ],
    [
      'another class than its folder',
      'anno_test.csv',
      2,
      '00002.jpg,39,116,569,375,1',
      /none at ROOT\/.*\/AM General Hummer SUV 2000\/00002.jpg/,
    ],
    [
      'a name that is blank',
      'names.csv',
      2,
      '',
      /a class that names.csv names but received 2 in ROOT\/anno_train.csv, line 2/,
    ],
  ])('Kaggle: %s', async (_, file, line, text, message) => {
    expect(await said('cars_kaggle', file, await withLine(`cars_kaggle/${file}`, line, text))).toMatch(message);
  });
});
