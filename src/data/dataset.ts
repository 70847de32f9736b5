import { createHash, hash } from 'node:crypto';
import { endianness } from 'node:os';
import { z } from 'zod';
import { isList } from '../checks.js';
import { CLASS_NAMES, type ClassNames, classNames as classNamesSchema, isClassNames } from '../class-names.js';
import { EatDmlError, invalid } from '../errors.js';
import { labelProblem } from '../labels.js';
import { anything, count, parse, parseOptions } from '../options.js';
import { checkShape } from './image-shape.js';

/** Labelled images of one size, held in memory. */
export interface Dataset {
  /** What it is called in reports and error messages. */
  name: string;
  /** Pixels 0..255, `[length, height, width, channels]` row-major. */
  images: Uint8Array;
  /** The class of each image; any integers of 32 bits. */
  labels: Int32Array;
  /** `[height, width, channels]`. */
  shape: [height: number, width: number, channels: number];
  /** Number of images. */
  length: number;
  /** What each image is called, where it has a name: its file, or who drew what. */
  names?: readonly string[];
  /** What the classes are called, where they have names. No part of the hash. */
  classNames?: ClassNames;
  /** The splits that it is a side of, outermost first; part of a side counts as that side. */
  splits?: readonly SplitSide[];
}

/** One side of a split. The other has the same `id`, and what the kind says holds between them. */
export interface SplitSide {
  /** SHA-256, in hex, of what was split and how. */
  id: string;
  kind: 'zero-shot' | 'closed-set';
  side: 'train' | 'test';
}

/** What {@link datasetFromArrays} makes a data set of. */
export interface DatasetArrays {
  /** Pixels 0..255: all images in one array, or one array of `height * width * channels` per image. */
  images: Uint8Array | readonly Uint8Array[];
  /** One integer per image. */
  labels: ArrayLike<number>;
  /** `[height, width, channels]`; channels is 1 for grey and 3 for colour. */
  shape: readonly [height: number, width: number, channels: number];
  /** Default `custom`. */
  name?: string;
  /** What each image is called (default nothing). */
  names?: readonly string[];
  /** What classes are called, by label (default nothing). */
  classNames?: ClassNames;
}

/** How many samples there are, as a schema: orders of them are drawn in memory. */
export const samples = count.max(2 ** 27, `at most ${2 ** 27} samples`);

const datasetArrays = z.strictObject({
  images: anything,
  labels: anything,
  shape: anything,
  name: z.string().default('custom'),
  names: z.array(z.string('a name'), 'an array of names').optional(),
  classNames: classNamesSchema.optional(),
  /** Of a dataset that is spread with changes; the labels say it. */
  length: anything,
});

/** A dataset, as a schema: also one made by hand, whose parts must fit each other. */
export const datasetValue = z.any().check(({ value, issues }) => {
  const problem = datasetProblem(value);
  if (!problem) return;
  const [key, message] = problem;
  const input = key === undefined ? value : value[key];
  issues.push({ code: 'custom', path: key === undefined ? [] : [key], message, input });
}) as unknown as z.ZodType<Dataset, Dataset>;

/** What is wrong with a dataset: which part, and what it should be. */
export function datasetProblem(value: Dataset): [key: keyof Dataset | undefined, expected: string] | undefined {
  if (typeof value !== 'object' || value === null) return [undefined, 'a dataset'];
  const { images, labels, shape, length, name, names, classNames } = value;
  if (!(images instanceof Uint8Array)) return ['images', 'a Uint8Array of pixels 0..255'];
  if (!(labels instanceof Int32Array) || labels.length === 0) return ['labels', 'an Int32Array of classes'];
  if (length !== labels.length) return ['length', `${labels.length}, as many as labels`];
  checkShape(shape);
  const pixels = length * imageSize(value);
  if (images.length !== pixels) return ['images', `${pixels} pixels (${length} labels x ${shape.join(' x ')})`];
  if (names && names.length !== length) return ['names', `${length} names, one an image`];
  if (classNames !== undefined && !isClassNames(classNames)) return ['classNames', CLASS_NAMES];
  return typeof name === 'string' ? undefined : ['name', 'a string'];
}

/** Throws unless `value` is a dataset whose parts fit each other. */
export function checkDataset(name: string, value: unknown): asserts value is Dataset {
  parse(datasetValue, value, name);
}

/**
 * A dataset of your own images. One flat `images` array is kept, not copied: don't change it afterwards.
 * @throws EatDmlError ERR_ARGUMENT when sizes don't fit each other or a value has the wrong kind.
 * @example
 * ```ts
 * import { datasetFromArrays } from 'eat-dml';
 * datasetFromArrays({ name: 'two', images: new Uint8Array(512), shape: [16, 16, 1], labels: [0, 1] });
 * ```
 */
export function datasetFromArrays(arrays: DatasetArrays): Dataset {
  const { name, names, classNames, labels, shape, ...given } = parseOptions(datasetArrays, arrays, '');
  const [height, width, channels] = checkShape(shape);
  if (!isList(labels)) throw invalid('labels', 'an array of integers', labels);
  const length = labels.length;
  if (length === 0) throw invalid('labels', 'at least one label', labels);
  const size = height * width * channels;
  const images = Array.isArray(given.images) ? joinImages(given.images, size) : given.images;
  if (!(images instanceof Uint8Array)) throw invalid('images', 'a Uint8Array of pixels 0..255', images);
  if (images.length !== length * size) {
    const expected = `${length * size} pixels (${length} labels x ${height} x ${width} x ${channels})`;
    throw new EatDmlError('ERR_ARGUMENT', `Expected ${expected} in images but received ${images.length}.`);
  }
  if (names && names.length !== length) throw invalid('names', `${length} names, one an image`, names);
  const dataset: Dataset = { name, images, labels: toLabels(labels), shape: [height, width, channels], length };
  return { ...dataset, ...(names && { names }), ...(classNames && { classNames }) };
}

/**
 * The images at `indices`, in that order, copied; an index may occur more than once.
 *
 * @throws EatDmlError ERR_ARGUMENT when there is no index or one is not in the dataset.
 */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  checkDataset('dataset', dataset);
  checkIndices(indices, dataset.length);
  const size = imageSize(dataset);
  const { names } = dataset;
  const images = new Uint8Array(indices.length * size);
  const labels = new Int32Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] * size;
    images.set(dataset.images.subarray(from, from + size), i * size);
    labels[i] = dataset.labels[indices[i]];
  }
  return {
    ...{ ...dataset, images, labels, length: indices.length },
    ...(names && { names: Array.from(indices, (index) => names[index]) }),
  };
}

/** The labels that occur, each once, ascending. */
export function classesOf(dataset: Pick<Dataset, 'labels'>): Int32Array {
  const labels = dataset?.labels;
  if (!(labels instanceof Int32Array)) throw invalid('dataset.labels', 'an Int32Array of classes', labels);
  return Int32Array.from(new Set(labels)).sort();
}

/**
 * SHA-256, in hex, of what the dataset holds: `height, width, channels, length` and the labels as little-endian int32,
 * then the pixels. Equal on every machine; names are no part of it.
 */
export function datasetHash(dataset: Dataset): string {
  checkDataset('dataset', dataset);
  const head = Int32Array.of(...dataset.shape, dataset.length);
  return createHash('sha256')
    .update(littleEndian(head))
    .update(littleEndian(dataset.labels))
    .update(dataset.images)
    .digest('hex');
}

/** The first 64 bits of the SHA-256 of each image's pixels: what an image is known by again. */
export function imageDigests(dataset: Dataset): BigUint64Array {
  checkDataset('dataset', dataset);
  const size = imageSize(dataset);
  return BigUint64Array.from({ length: dataset.length }, (_, i) =>
    digestOf(dataset.images.subarray(i * size, (i + 1) * size)),
  );
}

/** The first 64 bits of the SHA-256 of bytes. */
export function digestOf(bytes: Uint8Array): bigint {
  return hash('sha256', bytes, 'buffer').readBigUInt64LE();
}

/** Pixels of one image, all channels. */
export function imageSize({ shape }: Pick<Dataset, 'shape'>): number {
  return shape[0] * shape[1] * shape[2];
}

/** Throws unless `indices` holds at least one and only integers in [0, length). */
export function checkIndices(indices: ArrayLike<number>, length: number): void {
  if (!isList(indices)) throw invalid('indices', 'an array of integers', indices);
  if (indices.length === 0) throw invalid('indices', 'at least one index', indices);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (!Number.isInteger(index) || index < 0 || index >= length) {
      throw invalid(`indices[${i}]`, `an integer in [0, ${length})`, index);
    }
  }
}

/** Throws unless `value` is a positive safe integer. */
export function checkPositive(name: string, value: unknown): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < 1) throw invalid(name, 'a positive integer', value);
}

/** Throws unless `seed` is a safe integer. */
export function checkSeed(seed: unknown): asserts seed is number {
  if (!Number.isSafeInteger(seed)) throw invalid('seed', 'an integer', seed);
}

/** The labels as int32. Throws where one is no integer of 32 bits, or may have been rounded. */
export function toLabels(labels: ArrayLike<unknown>): Int32Array {
  const copy = new Int32Array(labels.length);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    const expected = labelProblem(labels, i);
    if (expected) throw invalid(`labels[${i}]`, expected, label);
    if (typeof label !== 'number' || (label | 0) !== label)
      throw invalid(`labels[${i}]`, 'an integer of 32 bits', label);
    copy[i] = label;
  }
  return copy;
}

function joinImages(images: readonly Uint8Array[], size: number): Uint8Array {
  const joined = new Uint8Array(images.length * size);
  images.forEach((image, i) => {
    if (!(image instanceof Uint8Array) || image.length !== size) {
      throw invalid(`images[${i}]`, `a Uint8Array of ${size} pixels`, image);
    }
    joined.set(image, i * size);
  });
  return joined;
}

function littleEndian(values: Int32Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return endianness() === 'LE' ? bytes : Buffer.from(bytes).swap32();
}
