import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cub200 } from '../../../src/data/layouts/cub200.js';
import { damaged, FIXTURES, withLine } from './damaged.js';

const { at, outcome, said } = damaged();

const IMAGE = '001.Black_footed_Albatross/Black_Footed_Albatross_0009_34.jpg';
const OUTSIDE =
  /an image inside of the archive \('\/' between its folders\) but received ".*" in ROOT\/images.txt, line 2\.$/;

describe('CUB', () => {
  test.each<[string, string, number, string, RegExp | string]>([
    [
      'a column more',
      'images.txt',
      2,
      `2 ${IMAGE} 1`,
      /2 columns \(image_id path\) but received "more: 2 001.*\.\.\." in ROOT/,
    ],
    [
      'a column less',
      'images.txt',
      2,
      '2',
      'Expected 2 columns (image_id path) but received "1: 2" in ROOT/images.txt, line 2.',
    ],
    [
      'no number',
      'images.txt',
      2,
      `two ${IMAGE}`,
      'Expected an integer >= 1 for image_id but received "two" in ROOT/images.txt, line 2.',
    ],
    ['a fraction', 'images.txt', 2, `2.0 ${IMAGE}`, /integer >= 1 for image_id but received "2.0"/],
    [
      'a number beyond int32',
      'images.txt',
      2,
      `2147483648 ${IMAGE}`,
      /integer >= 1 for image_id but received "2147483648"/,
    ],
    [
      'an id twice',
      'images.txt',
      2,
      `1 ${IMAGE}`,
      /each image_id once but received "1 again" in ROOT\/images.txt, line 2/,
    ],
    ['a path that leaves the root', 'images.txt', 2, '2 ../../etc/passwd', OUTSIDE],
    ['one that leaves it later', 'images.txt', 2, '2 a/../../../b.jpg', OUTSIDE],
    ['one from the top', 'images.txt', 2, '2 /etc/passwd', OUTSIDE],
    ['one with a backslash', 'images.txt', 2, '2 ..\\b.jpg', OUTSIDE],
    ['one with a drive', 'images.txt', 2, '2 c:/b.jpg', OUTSIDE],
    ['one with a zero byte', 'images.txt', 2, '2 a\0.jpg', OUTSIDE],
    ['one with nothing between', 'images.txt', 2, '2 a//b.jpg', OUTSIDE],
    [
      'an image that is not there',
      'images.txt',
      2,
      '2 001.A/b.jpg',
      'Expected an image but received none at ROOT/images/001.A/b.jpg, listed in ROOT/images.txt.',
    ],
    [
      'a folder for an image',
      'images.txt',
      2,
      '2 001.Black_footed_Albatross',
      /an image but received a folder at ROOT/,
    ],
    [
      'a class too many',
      'image_class_labels.txt',
      12,
      '12 201',
      /an integer from 1 to 200 for class_id but received "201" in ROOT\/image_class_labels.txt, line 12/,
    ],
    ['class 0', 'image_class_labels.txt', 12, '12 0', /an integer from 1 to 200 for class_id but received "0"/],
    [
      'another class than the folder',
      'image_class_labels.txt',
      12,
      '12 199',
      /class 200, as its folder says, but received 199 in .*labels.txt, line 12/,
    ],
    [
      'the class of no image',
      'image_class_labels.txt',
      12,
      '13 200',
      /an image_id of images.txt but received "13" in ROOT\/image_class_labels.txt, line 12/,
    ],
    [
      'a class twice',
      'image_class_labels.txt',
      12,
      '11 200',
      /each image_id once but received "11 again" in .*labels.txt, line 12/,
    ],
    [
      'an image without class',
      'image_class_labels.txt',
      12,
      '',
      'Expected a class of image 12 but received none in ROOT/image_class_labels.txt.',
    ],
    [
      'a name without number',
      'classes.txt',
      2,
      'x 009.Brewer',
      /from 1 to 200 for class_id but received "x" in ROOT\/classes.txt, line 2/,
    ],
  ])('%s', async (_, file, line, text, message) => {
    const outcome = await said('CUB_200_2011', file, await withLine(`CUB_200_2011/${file}`, line, text));
    expect(outcome).toMatch(/^ERR_DATA: /);
    if (typeof message === 'string') expect(outcome).toBe(`ERR_DATA: ${message}`);
    else expect(outcome).toMatch(message);
  });

  test.each(['images.txt', 'image_class_labels.txt'])('without %s', async (file) => {
    expect(await said('CUB_200_2011', file)).toBe(
      `ERR_DATA: Expected a readable file but received none at ROOT/${file}.`,
    );
  });

  test('a list that is no text', async () => {
    const message = 'ERR_DATA: Expected UTF-8 text but received other bytes in ROOT/images.txt.';
    expect(await said('CUB_200_2011', 'images.txt', Uint8Array.of(0x31, 0xff, 0xfe))).toBe(message);
  });

  test('blank lines are none, a byte-order mark no column, and files may be elsewhere', async () => {
    const text = await readFile(join(FIXTURES, 'CUB_200_2011/images.txt'), 'utf8');
    expect(await said('CUB_200_2011', 'images.txt', `\ufeff${text.replaceAll('\n', ' \r\n\n')}`)).toBe('read');
    await rename(at('images'), at('pictures'));
    expect(await outcome()).toMatch(/an image but received none at ROOT\/images/);
    expect((await cub200(at(), { stat: false })).files.length).toBe(12);
  });

  test('each fault is told of where it is asked for, and its line is left out', async () => {
    await said('CUB_200_2011', 'images.txt', await withLine('CUB_200_2011/images.txt', 2, '2 ../a.jpg'));
    const faults: string[] = [];
    const { files } = await cub200(at(), { onFault: ({ message }) => faults.push(message) });
    expect(files.length).toBe(11);
    expect(faults.length).toBe(2);
    expect(faults[1]).toMatch(/an image_id of images.txt but received "2"/);
  });

  test('options', async () => {
    await expect(cub200(at(), { lastTrainClas: 3 } as never)).rejects.toThrow(/did you mean lastTrainClass/);
    await expect(cub200(at(), { lastTrainClass: 0 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    const { sides } = await cub200(join(FIXTURES, 'CUB_200_2011'), { lastTrainClass: 8 });
    expect(sides.train.length).toBe(2);
  });
});
