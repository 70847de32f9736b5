import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inShop } from '../../../src/data/layouts/in-shop.js';
import { damaged, FIXTURES, withLine } from './damaged.js';

const { at, said } = damaged();

describe('SOP', () => {
  const HEADER = 'image_id class_id super_class_id path';
  test.each<[string, string, number, string, RegExp]>([
    [
      'no header',
      'Ebay_train.txt',
      1,
      '',
      /the header "image_id class_id super_class_id path" but received "1 1 1 .*" in .*, line 2/,
    ],
    ['another header', 'Ebay_train.txt', 1, `${HEADER} more`, /the header .* but received "image_id .*" in .*, line 1/],
    [
      'an id of the other list',
      'Ebay_test.txt',
      2,
      '1 11319 1 bicycle_final/251952414262_0.JPG',
      /each image_id once but received "1 again" in ROOT\/Ebay_test.txt, line 2/,
    ],
    [
      'a class of the other list',
      'Ebay_test.txt',
      2,
      '59552 2 1 bicycle_final/251952414262_0.JPG',
      /a class that is not in Ebay_train.txt but received 2 in ROOT\/Ebay_test.txt, line 2/,
    ],
    [
      'a super class that is none',
      'Ebay_test.txt',
      2,
      '59552 11319 x bicycle_final/251952414262_0.JPG',
      /for super_class_id but received "x"/,
    ],
    [
      '.jpg for .JPG',
      'Ebay_test.txt',
      2,
      '59552 11319 1 bicycle_final/251952414262_0.jpg',
      /none at ROOT\/bicycle_final\/251952414262_0.jpg, listed in Ebay_train/,
    ],
    [
      'a path that leaves the root',
      'Ebay_test.txt',
      2,
      '59552 11319 1 ../b.JPG',
      /inside of the archive.*Ebay_test.txt, line 2/,
    ],
  ])('%s', async (_, file, line, text, message) => {
    const path = `Stanford_Online_Products/${file}`;
    expect(await said('Stanford_Online_Products', file, await withLine(path, line, text))).toMatch(message);
  });

  test('without one of the lists', async () => {
    expect(await said('Stanford_Online_Products', 'Ebay_test.txt')).toMatch(/none at ROOT\/Ebay_test.txt\.$/);
  });
});

describe('In-Shop', () => {
  const LIST = 'Eval/list_eval_partition.txt';
  const DRESS = 'img/WOMEN/Dresses/id_00000002/02_2_side.jpg';
  test.each<[string, number, string, RegExp]>([
    [
      'another count',
      1,
      '12',
      /12 images, as its first line says, but received 11 in ROOT\/Eval\/list_eval_partition.txt\./,
    ],
    ['no count', 1, 'many', /an integer >= 0 for the number of images but received "many" in .*, line 1/],
    ['no header', 2, '', /the header "image_name item_id evaluation_status" but received ".*" in .*, line 3/],
    ['another side', 4, `${DRESS} id_00000002 val`, /train, query or gallery but received "val" in .*, line 4/],
    ['no item', 4, `${DRESS} 2 train`, /an item_id such as id_00000001 but received "2"/],
    [
      'an item that is no number',
      4,
      `${DRESS} id_x train`,
      /an integer >= 1 for the number in item_id but received "x"/,
    ],
    [
      'an item for training that is a query',
      4,
      `${DRESS} id_00000002 query`,
      /items for training that are not for test but received "id_00000002" in .*line 4/,
    ],
    [
      'an image twice',
      4,
      'img/WOMEN/Dresses/id_00000002/02_1_front.jpg id_00000002 train',
      /each image once but received "img.* again|\.\.\."/,
    ],
    ['a path elsewhere', 4, 'WOMEN/a.jpg id_00000002 train', /begins with img\/ but received "WOMEN\/a.jpg"/],
    ['a path that leaves the root', 4, 'img/../../b.jpg id_00000002 train', /inside of the archive/],
    ['a column less', 4, `${DRESS} train`, /3 columns \(image_name item_id evaluation_status\) but received "2: img/],
  ])('%s', async (_, line, text, message) => {
    expect(await said('inshop', LIST, await withLine(`inshop/${LIST}`, line, text))).toMatch(message);
  });

  test('an empty list', async () => {
    expect(await said('inshop', LIST, '')).toMatch(/^ERR_DATA: Expected .* line 1\.$/);
  });

  test('pictures in larger, and a list at the root', async () => {
    await cp(join(FIXTURES, 'inshop', 'Img', 'img'), at('img_highres'), { recursive: true });
    await cp(join(FIXTURES, 'inshop', LIST), at('list_eval_partition.txt'));
    const { files, ...archive } = await inShop(at());
    expect(files[0]).toBe('img_highres/WOMEN/Dresses/id_00000002/02_1_front.jpg');
    expect(archive.root).toBe(at());
  });
});
