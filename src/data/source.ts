import { createHash } from 'node:crypto';
import { z } from 'zod';
import type * as tf from '#tf';
import { isImageShape } from '../checks.js';
import { CLASS_NAMES, type ClassNames, isClassNames } from '../class-names.js';
import { throwIfAborted } from '../errors.js';
import { counter, type LongWork } from '../long-work.js';
import { parse } from '../options.js';
import {
  checkIndices,
  type Dataset,
  datasetHash,
  datasetProblem,
  digestOf,
  imageDigests,
  type SplitSide,
  subset as subsetInMemory,
} from './dataset.js';
import { imageBatch } from './image-batch.js';

/** What reading may be told. */
export interface ReadOptions {
  signal?: AbortSignal;
}

/** What reading images may be told. */
export interface BatchOptions extends ReadOptions {
  /**
   * Which of the random views of its images a source shows, where it has such: training passes the number of its step. The same
   * indices and draw give the same bits. Without it every image is seen as evaluation sees it.
   */
  draw?: number;
}

/**
 * Labelled images of one size that come batch by batch, from files as from memory: what training, embedding, attacks and
 * evaluation take. {@link Dataset} is the same with its pixels at hand, and is taken everywhere that a source is.
 */
export interface Source {
  /** What it is called in reports and error messages. */
  readonly name: string;
  /** The class of each image, in the order of the source. */
  readonly labels: Int32Array;
  /** `[height, width, channels]` of every image. */
  readonly shape: [height: number, width: number, channels: number];
  /** What each image is called, where it has a name: its file, or who drew what. */
  readonly names?: readonly string[];
  /** What the classes are called, where they have names. No part of the hash. */
  readonly classNames?: ClassNames;
  /** The splits that it is a side of, outermost first. */
  readonly splits?: readonly SplitSide[];
  /**
   * SHA-256, in hex, of what says which images they are, such as the names of their files, told without reading one: splits are
   * known by it. Without it, name, shape and labels stand for them.
   */
  readonly identity?: string;
  /** What else its images depend on beside what `digests` tell, such as how files are resized: part of the hash. */
  readonly look?: string;
  /** Files of the set that was opened which are no part of it as they are broken: `skipBroken` allowed it. */
  readonly leftOut?: readonly string[];
  /** Which part it has in a protocol of queries that are looked up in a gallery. */
  readonly role?: 'query' | 'gallery';
  /**
   * The images at `indices`, in that order, [indices.length, height, width, channels] in [0, 1]; the caller disposes them. The
   * same bits whatever was read before.
   */
  batch(indices: ArrayLike<number>, options?: BatchOptions): Promise<tf.Tensor4D>;
  /**
   * Says which batch will be asked for, with the same options: what takes time is begun. Changes no bits, may be ignored, and
   * throws nothing: what goes wrong is said when the batch is asked for.
   */
  prefetch?(indices: ArrayLike<number>, options?: BatchOptions): void;
  /** SHA-256, in hex, of images, labels and shape: equal where the data are equal. */
  hash(options?: LongWork): Promise<string>;
  /** 64 bits of each image by which it is known again, in another source of the same kind too. */
  digests?(options?: LongWork): Promise<BigUint64Array>;
}

/** Images that are read at a time where all of them are gone through. */
const READ = 256;

/** A source, or a dataset, as a schema. */
export const sourceValue = z.any().check(({ value, issues }) => {
  const problem = isSource(value) ? sourceProblem(value) : datasetProblem(value);
  if (!problem) return;
  const [key, message] = problem;
  const input = key === undefined ? value : (value as unknown as Record<string, unknown>)[key];
  issues.push({ code: 'custom', path: key === undefined ? [] : [key], message, input });
}) as unknown as z.ZodType<Source | Dataset, Source | Dataset>;

/** Throws unless `value` is a source, or a dataset whose parts fit each other. */
export function checkSource(name: string, value: unknown): asserts value is Source | Dataset {
  parse(sourceValue, value, name);
}

/** What is split, for the split's id, in hex: told without reading an image. */
export function identityOf(data: Source | Dataset): string {
  if (!isSource(data)) return datasetHash(data);
  const dataset = datasets.get(data);
  if (dataset) return datasetHash(dataset);
  return data.identity ?? sha256(JSON.stringify([data.name, data.shape, ...data.labels]));
}

/** SHA-256, in hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function isSource(value: unknown): value is Source {
  return typeof (value as Source | null | undefined)?.batch === 'function';
}

function sourceProblem(source: Source): [key: keyof Source, expected: string] | undefined {
  const { name, labels, shape, hash, classNames } = source;
  if (typeof name !== 'string') return ['name', 'a string'];
  if (!(labels instanceof Int32Array) || labels.length === 0) return ['labels', 'an Int32Array of classes'];
  if (!isImageShape(shape)) return ['shape', '[height, width, channels] of positive integers'];
  if (classNames !== undefined && !isClassNames(classNames)) return ['classNames', CLASS_NAMES];
  return typeof hash === 'function' ? undefined : ['hash', 'a function'];
}

const known = new WeakMap<Dataset, Source>();
/** The datasets that sources in memory are made of: their parts are datasets again, with the hashes that those have. */
const datasets = new WeakMap<Source, Dataset>();

/**
 * The source that `data` is; a dataset becomes one whose hash is computed once.
 *
 * @throws EatDmlError ERR_ARGUMENT where it is neither.
 */
export function sourceOf(data: Source | Dataset): Source {
  checkSource('data', data);
  if (isSource(data)) return data;
  const before = known.get(data);
  if (before) return before;
  const made = inMemory(data);
  known.set(data, made);
  return made;
}

function inMemory(dataset: Dataset): Source {
  const once = <T>(make: () => T): (() => Promise<T>) => {
    let made: Promise<T> | undefined;
    return () => (made ??= Promise.resolve().then(make));
  };
  const { name, names, classNames, labels, shape, splits } = dataset;
  const source: Source = {
    ...{ name, names, classNames, labels, shape, splits },
    batch: async (indices, { signal } = {}) => {
      throwIfAborted(signal);
      return imageBatch(dataset, indices);
    },
    hash: once(() => datasetHash(dataset)),
    digests: once(() => imageDigests(dataset)),
  };
  datasets.set(source, dataset);
  return source;
}

/**
 * The images at `indices`, in that order; an index may occur more than once. Of a source nothing is read.
 *
 * @throws EatDmlError ERR_ARGUMENT when there is no index or one is not in the data.
 */
export function subset<T extends Source | Dataset>(data: T, indices: ArrayLike<number>): T {
  if (!isSource(data)) return subsetInMemory(data, indices) as T;
  const dataset = datasets.get(data);
  return (dataset ? sourceOf(subsetInMemory(dataset, indices)) : subsetOf(data, indices)) as T;
}

function subsetOf(source: Source, indices: ArrayLike<number>): Source {
  checkIndices(indices, source.labels.length);
  const rows = Int32Array.from(indices);
  const { name, names, classNames, shape, splits, role, look, leftOut } = source;
  const part: Source = {
    ...{ name, classNames, shape, splits, role, look, leftOut },
    names: names && Array.from(rows, (row) => names[row]),
    identity: sha256(`${identityOf(source)} ${rows}`),
    labels: rows.map((row) => source.labels[row]),
    batch: async (chosen, options) => {
      checkIndices(chosen, rows.length);
      return source.batch(
        Int32Array.from(chosen, (i) => rows[i]),
        options,
      );
    },
    prefetch: (chosen, options) => {
      source.prefetch?.(
        Int32Array.from(chosen, (i) => rows[i]),
        options,
      );
    },
    digests: async (options) => {
      const all = await digestsOf(source, options);
      return BigUint64Array.from(rows, (row) => all[row]);
    },
    hash: async (options) => hashOf(part, await part.digests!(options)),
  };
  return part;
}

/** What a source whose images are known by `digests` is known by. */
export function hashOf(
  { labels, shape, look }: Pick<Source, 'labels' | 'shape' | 'look'>,
  digests: BigUint64Array,
): string {
  const head = [...shape, labels.length, ...labels].join(' ');
  const images = sha256(`${head}\n${[...digests].map((digest) => digest.toString(16)).join(' ')}`);
  return look === undefined ? images : sha256(`${images}\n${look}`);
}

/** The digests of a source; of one that has none itself, those of its pixels as bytes, for which all images are read. */
export async function digestsOf(source: Source, { signal, onProgress }: LongWork = {}): Promise<BigUint64Array> {
  if (source.digests) return source.digests({ signal, onProgress });
  const count = counter('hash', source.labels.length, onProgress);
  const all = new BigUint64Array(source.labels.length);
  for (let start = 0; start < all.length; start += READ) {
    throwIfAborted(signal);
    const indices = Int32Array.from({ length: Math.min(READ, all.length - start) }, (_, i) => start + i);
    const images = await source.batch(indices, { signal });
    const bytes = Uint8Array.from(await images.data<'float32'>(), (value) => Math.round(255 * value));
    images.dispose();
    const size = bytes.length / indices.length;
    for (let i = 0; i < indices.length; i++) all[start + i] = digestOf(bytes.subarray(i * size, (i + 1) * size));
    count(indices.length);
  }
  return all;
}
