import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { classesOf, type DatasetArrays, datasetFromArrays, datasetHash, subset } from '../../src/data/dataset.js';
import { imageBatch } from '../../src/data/image-batch.js';

const arrays = {
  images: Uint8Array.from({ length: 3 * 4 }, (_, i) => i * 20),
  labels: [7, -2, 7],
  shape: [2, 2, 1] as const,
  name: 'tiny',
};
const tiny = datasetFromArrays(arrays);
const argumentError = (message: RegExp) =>
  expect.objectContaining({ name: 'EatDmlError', code: 'ERR_ARGUMENT', message: expect.stringMatching(message) });

describe('datasetFromArrays', () => {
  test('holds what was given', () => {
    expect(tiny).toEqual({ ...arrays, labels: Int32Array.of(7, -2, 7), shape: [2, 2, 1], length: 3 });
  });

  test('one array per image is the same as one for all', () => {
    const images = [0, 4, 8].map((start) => arrays.images.slice(start, start + 4));
    expect(datasetFromArrays({ ...arrays, images })).toEqual(tiny);
    expect(datasetFromArrays({ ...arrays, images, name: undefined }).name).toBe('custom');
  });

  test.each<[string, Partial<Record<keyof DatasetArrays, unknown>>, RegExp]>([
    ['float pixels', { images: new Float32Array(12) }, /Uint8Array of pixels 0\.\.255 for images/],
    ['too few pixels', { images: new Uint8Array(11) }, /12 pixels \(3 labels x 2 x 2 x 1\) in images .* received 11/],
    ['one image too short', { images: [new Uint8Array(4), new Uint8Array(3)] }, /4 pixels for images\[1\]/],
    ['fewer images than labels', { images: [new Uint8Array(4)] }, /12 pixels .* but received 4/],
    ['no label', { labels: [], images: new Uint8Array(0) }, /at least one label/],
    ['labels missing', { labels: undefined }, /array of integers for labels but received undefined/],
    ['a fractional label', { labels: [1, 1.5, 2] }, /labels\[1\] but received 1.5/],
    ['a NaN label', { labels: [1, 2, NaN] }, /labels\[2\] but received NaN/],
    ['a label beyond 32 bits', { labels: [1, 2, 2 ** 31] }, /labels\[2\] but received 2147483648/],
    ['two dimensions', { shape: [2, 2] }, /\[height, width, channels\] .* received \[2, 2\]/],
    ['no shape', { shape: undefined }, /\[height, width, channels\] .* received undefined/],
    ['a zero dimension', { shape: [2, 0, 1] }, /received \[2, 0, 1\]/],
    ['two channels', { shape: [2, 1, 2] }, /\[height, width, channels\] with 1 or 3 channels .* received \[2, 1, 2\]/],
    ['a BigInt label', { labels: [1n, 2n, 3n] }, /integer for labels\[0\] but received 1n/],
    ['BigInt labels', { labels: BigInt64Array.of(1n, 2n, 3n) }, /integer for labels\[0\] but received 1n/],
    ['a label in words', { labels: [1, 2, '3'] }, /integer for labels\[2\] but received "3"/],
    ['a hole among the labels', { labels: new Array(3) }, /integer for labels\[0\] but received undefined/],
    ['a name too few', { names: ['a', 'b'] }, /3 names, one an image for names but received an array of length 2/],
    ['a name that is none', { names: ['a', 'b', 3] }, /a name for names\[2\] but received 3/],
    ['names of classes that are no labels', { classNames: { ant: 'bee' } }, /by label.* for classNames but received/],
    ['names of classes that are no names', { classNames: { 7: 7 } }, /by label.* for classNames but received/],
    ['a Map of names', { classNames: new Map([[7, 'bee']]) }, /by label.* for classNames but received/],
    ['labels that float32 rounds', { labels: Float32Array.of(1, 2, 2 ** 24) }, /below 2\^24.* labels\[2\]/],
  ])('refuses %s', (_, change, message) => {
    expect(() => datasetFromArrays({ ...arrays, ...change } as DatasetArrays)).toThrow(argumentError(message));
  });
});

test('channels first are refused with the order that is wanted', () => {
  const images = new Uint8Array(3 * 3 * 8 * 6);
  expect(() => datasetFromArrays({ images, labels: [1, 2, 3], shape: [3, 8, 6] })).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('Channels last: [height, width, channels]') }),
  );
});

describe('names', () => {
  const named = datasetFromArrays({ ...arrays, names: ['a', 'b', 'c'] });

  test('are kept, go along with their images, and are no part of the hash', () => {
    expect(named.names).toEqual(['a', 'b', 'c']);
    expect(subset(named, [2, 0, 2]).names).toEqual(['c', 'a', 'c']);
    expect(subset(tiny, [2])).not.toHaveProperty('names');
    expect(datasetHash(named)).toBe(datasetHash(tiny));
  });

  test('of classes go along with any part, and are no part of the hash', () => {
    const classNames = { '-2': 'ant', 7: 'bee' };
    const called = datasetFromArrays({ ...arrays, classNames });
    expect(called.classNames).toEqual(classNames);
    expect(subset(called, [1]).classNames).toEqual(classNames);
    expect(subset(tiny, [1])).not.toHaveProperty('classNames');
    expect(datasetHash(called)).toBe(datasetHash(tiny));
    expect(datasetFromArrays({ ...arrays, classNames: ['a list', 'from 0 on'] }).classNames![1]).toBe('from 0 on');
  });

  test('that do not fit are refused', () => {
    expect(() => subset({ ...tiny, classNames: { ant: 'bee' } as never }, [0])).toThrow(
      argumentError(/names of classes by label, such as { 0: "ant" }, for dataset\.classNames/),
    );
    expect(() => subset({ ...named, names: ['a'] }, [0])).toThrow(
      argumentError(/3 names, one an image for dataset\.names/),
    );
  });
});

describe('subset', () => {
  test('copies the images asked for, in order, repeats included', () => {
    const part = subset(tiny, [2, 0, 2]);
    expect([...part.images]).toEqual([8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11].map((i) => i * 20));
    expect(part).toMatchObject({ name: 'tiny', labels: Int32Array.of(7, 7, 7), shape: [2, 2, 1], length: 3 });
    part.images[0] = 1;
    expect(tiny.images[8]).toBe(160);
  });

  test.each([
    [[3], /\[0, 3\) for indices\[0\] but received 3/],
    [[0, -1], /indices\[1\] but received -1/],
    [[0.5], /indices\[0\] but received 0.5/],
    [[NaN], /indices\[0\] but received NaN/],
    [[], /at least one index/],
  ])('refuses %j', (indices, message) => {
    expect(() => subset(tiny, indices)).toThrow(argumentError(message));
    expect(() => imageBatch(tiny, indices)).toThrow(argumentError(message));
  });
});

test('classesOf gives each class once, ascending', () => {
  expect(classesOf(tiny)).toEqual(Int32Array.of(-2, 7));
  expect(classesOf({ labels: Int32Array.of(10, 9, -1, 10, 100) })).toEqual(Int32Array.of(-1, 9, 10, 100));
});

describe('datasetHash', () => {
  test('is the sha256 of shape, length, labels and pixels', () => {
    const bytes = Buffer.alloc(7 * 4 + 12);
    [2, 2, 1, 3, 7, -2, 7].forEach((value, i) => {
      bytes.writeInt32LE(value, i * 4);
    });
    bytes.set(arrays.images, 28);
    expect(datasetHash(tiny)).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  test('tells apart what differs in a pixel, a label or the shape, and not in the name', () => {
    const pixel = arrays.images.slice();
    pixel[5]++;
    const others = [{ images: pixel }, { labels: [7, -2, 8] }, { shape: [1, 4, 1] as const }];
    const hashes = others.map((change) => datasetHash(datasetFromArrays({ ...arrays, ...change })));
    expect(new Set([...hashes, datasetHash(tiny)]).size).toBe(4);
    expect(datasetHash({ ...tiny, name: 'other' })).toBe(datasetHash(tiny));
  });
});

describe('imageBatch', () => {
  test('gives pixels over 255 in the order asked for', () => {
    const batch = imageBatch(tiny, Int32Array.of(1, 0));
    expect(batch.shape).toEqual([2, 2, 2, 1]);
    expect(batch.dtype).toBe('float32');
    const expected = [4, 5, 6, 7, 0, 1, 2, 3].map((i) => Math.fround((i * 20) / 255));
    expect([...batch.dataSync()]).toEqual(expected);
    batch.dispose();
  });

  test('makes one tensor, also inside tidy', () => {
    const before = tf.memory().numTensors;
    imageBatch(tiny, [0, 1]).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
