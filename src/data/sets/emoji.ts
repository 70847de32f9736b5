import { join } from 'node:path';
import { z } from 'zod';
import { EatDmlError, invalid } from '../../errors.js';
import { count, parse, parseOptions, seed } from '../../options.js';
import { randomStream } from '../../random.js';
import { type Cache, defaultCacheDir, type ParsedArrays, readCache, remake, writeCache } from '../cache.js';
import { checkPositive, type Dataset, subset } from '../dataset.js';
import { type Split, splitByClass, splitBySample, splitKind } from '../splits.js';
import { dataSetPart } from './data-set.js';
import { decodeEmoji, EMOJI_PACKAGES, EMOJI_SIDE, FETCH_EMOJI, listEmoji } from './emoji-packages.js';

const cacheFolder = z.string();

export const emojiOptions = z.strictObject({
  split: splitKind
    .default('zero-shot')
    .describe('zero-shot: train and test share no emoji; closed-set: half of each emoji’s drawings on either side'),
  seed: seed.optional().describe('which classes and which side (default 0; of a run, the run’s)'),
  classes: count
    .optional()
    .describe('at most this many classes on each side, drawn at random (zero-shot), or in all (closed-set)'),
  side: count
    .refine((side) => EMOJI_SIDE % side === 0, `a divisor of ${EMOJI_SIDE}`)
    .default(EMOJI_SIDE)
    .describe(`pixels of a side: ${EMOJI_SIDE}, or averaged from there, such as 32 or 16`),
  cacheDir: cacheFolder.optional().describe('where the images are kept (default as of fashion-mnist)'),
});

export type EmojiOptions = z.input<typeof emojiOptions>;

/**
 * Emoji as four vendors draw them (Google, Twitter, Facebook, OpenMoji): class = emoji, four colour images each on white.
 * `eat-dml data emoji` fetches and decodes them once; this reads what it kept. What is damaged is decoded anew where the
 * packages are still there, with a process warning.
 *
 * @throws EatDmlError ERR_DATA when they have not been fetched, or are damaged and cannot be decoded anew; ERR_ARGUMENT.
 */
export async function emoji(options: EmojiOptions = {}): Promise<Split> {
  const { split, seed = 0, classes, side, cacheDir = defaultCacheDir() } = parseOptions(emojiOptions, options);
  const all = shrink(await readEmoji(cacheDir), side);
  const limit = classes === undefined ? undefined : split === 'zero-shot' ? 2 * classes : classes;
  const kept = limit === undefined ? all : limitClasses(all, limit, seed);
  return split === 'zero-shot' ? splitByClass(kept, { seed }) : splitBySample(kept, { testFraction: 0.5, seed });
}

/** Decodes images; the version that the package names as its optional peer. */
const SHARP = 'sharp@^0.35.5';

export const emojiPart = dataSetPart(
  'emoji',
  'some thousands of emoji as four vendors draw them, in colour (`eat-dml data emoji` fetches them)',
  emojiOptions,
  emoji,
  {
    fetched: {
      packages: [...Object.entries(EMOJI_PACKAGES).map(([name, version]) => `${name}@${version}`), SHARP],
      size: '330 MB',
      folder: emojiPackagesDir,
      build: buildEmojiCache,
      hint: FETCH_EMOJI,
    },
  },
);

/** Where `eat-dml data emoji` installs the packages. */
export function emojiPackagesDir(cacheDir = defaultCacheDir()): string {
  return join(parse(cacheFolder, cacheDir, 'cacheDir'), 'emoji-packages');
}

/** Decodes the installed packages into the cache; how many emoji and images that are. */
export async function buildEmojiCache(cacheDir = defaultCacheDir()): Promise<{ classes: number; images: number }> {
  const arrays = await decodePackages(cacheDir);
  await writeCache(emojiCache(cacheDir), arrays);
  return { classes: new Set(arrays.labels.data as Int32Array).size, images: arrays.labels.data.length };
}

async function decodePackages(cacheDir: string): Promise<ParsedArrays> {
  const packages = emojiPackagesDir(cacheDir);
  const { codes, files } = await listEmoji(packages);
  const places = [join(packages, '/'), import.meta.url, join(process.cwd(), '/')];
  const decoded: Uint8Array[][] = [];
  for (const vendor of files) decoded.push(await decodeEmoji(vendor, places));
  const images = decoded.flat();
  const labels = Int32Array.from(images, (_, i) => i % codes.length);
  return {
    images: { shape: [images.length, EMOJI_SIDE, EMOJI_SIDE, 3], data: Buffer.concat(images) },
    labels: { shape: [labels.length], data: labels },
  };
}

/** The versions are in the name, so other versions of the packages are decoded anew. */
export function emojiCache(cacheDir: string): Cache {
  const versions = [...new Set(Object.values(EMOJI_PACKAGES))].join('-');
  const files = { images: 'images-idx4-ubyte.gz', labels: 'labels-idx1-int.gz' };
  const folder = join(cacheDir, `emoji-${versions}`);
  return { name: 'emoji', title: 'the emoji', folder, ...files, shape: [EMOJI_SIDE, EMOJI_SIDE, 3] };
}

async function readEmoji(cacheDir: string): Promise<Dataset> {
  const cache = emojiCache(cacheDir);
  try {
    const kept = await readCache(cache);
    if (kept) return kept;
    throw new EatDmlError('ERR_DATA', `Expected the emoji data and their checksums in ${cache.folder} but found none.`);
  } catch (damage) {
    return remake(cache, damage, FETCH_EMOJI, () => decodePackages(cacheDir));
  }
}

function limitClasses(data: Dataset, limit: number, seed: number): Dataset {
  checkPositive('classes', limit);
  const present = [...new Set(data.labels)].sort((a, b) => a - b);
  if (limit >= present.length) return data;
  const order = randomStream(seed, 'limit-classes').permutation(present.length);
  const kept = new Set(Array.from(order.subarray(0, limit), (at) => present[at]));
  return subset(
    data,
    Int32Array.from(data.labels.keys()).filter((i) => kept.has(data.labels[i])),
  );
}

/** Images of a smaller side, each pixel the mean of those it stands for. */
export function shrink(data: Dataset, side: number): Dataset {
  const [height, width, channels] = data.shape;
  if (side === height) return data;
  if (!Number.isSafeInteger(side) || side < 1 || height % side !== 0 || side > height) {
    throw invalid('side', `a divisor of ${height}`, side);
  }
  const factor = height / side;
  const size = side * side * channels;
  const images = new Uint8Array(data.length * size);
  for (let at = 0; at < images.length; at++) {
    const channel = at % channels;
    const x = Math.floor(at / channels) % side;
    const y = Math.floor(at / (channels * side)) % side;
    const image = Math.floor(at / size);
    let sum = 0;
    for (let dy = 0; dy < factor; dy++) {
      const row = (image * height + y * factor + dy) * width;
      for (let dx = 0; dx < factor; dx++) sum += data.images[(row + x * factor + dx) * channels + channel];
    }
    images[at] = Math.round(sum / (factor * factor));
  }
  return { ...data, images, shape: [side, side, channels] };
}
