import { join } from 'node:path';
import { z } from 'zod';
import { defaultCacheDir } from '../../cache-folder.js';
import { EatDmlError, throwIfAborted } from '../../errors.js';
import { type LongWork, longWork } from '../../long-work.js';
import { count, parse, parseOptions, seed } from '../../options.js';
import { randomStream } from '../../random.js';
import { type Cache, keep, type ParsedArrays, readCache, remake, writeCache } from '../cache.js';
import { checkPositive, type Dataset, subset } from '../dataset.js';
import { sha256 } from '../source.js';
import { type Split, splitByClass, splitBySample, splitKind } from '../splits.js';
import { type Built, type Credit, dataSetPart } from './data-set.js';
import { type Drawing, emojiClasses } from './emoji-classes.js';
import { renderDrawings, rendererVersion } from './emoji-drawings.js';
import { EMOJI_PACKAGES, FETCH_EMOJI, type IconSet, iconNamed, readIconSets } from './emoji-packages.js';

const SIDE = 64;
/** Files of more than 2 GiB are not read at once. */
const LONGEST_SIDE = 256;
const SIDES = `an integer from 1 to ${LONGEST_SIDE}`;
const emojiSide = z.int(SIDES).min(1, SIDES).max(LONGEST_SIDE, SIDES).default(SIDE);

const cacheFolder = z.string();

export const emojiOptions = z.strictObject({
  split: splitKind
    .default('zero-shot')
    .describe('zero-shot: train and test share no emoji; closed-set: half of each emoji’s drawings on either side'),
  seed: seed.optional().describe('which classes and which side (default 0; of a run, the run’s)'),
  classes: count
    .optional()
    .describe('at most this many classes on each side, drawn at random (zero-shot), or in all (closed-set)'),
  side: emojiSide.describe('pixels of a side, up to 256: the drawings are rendered at it, once'),
  cacheDir: cacheFolder.optional().describe('where the images are kept (default as of fashion-mnist)'),
});

const openOptions = emojiOptions.extend(longWork);

/** Options of {@link emoji}. */
export type EmojiOptions = z.input<typeof openOptions>;

/**
 * 1,037 emoji as eleven vendors draw them: class = emoji, eight to eleven drawings each, 9,760 in all, `side` x `side` x 3 on white.
 * `names` says whose each is: "twemoji:grinning-face", `classNames` what it shows. `eat-dml data emoji` fetches the packages; what is rendered from them is kept, a
 * folder for each side, in which every file has its checksum. What is damaged, or another sharp's, is rendered anew where the packages
 * are still there, with a process warning.
 *
 * @throws EatDmlError ERR_DATA when they have not been fetched, or are damaged and cannot be rendered anew; ERR_ARGUMENT.
 */
export async function emoji(options: EmojiOptions = {}): Promise<Split> {
  const parsed = parseOptions(openOptions, options);
  const { split, seed = 0, classes, side, cacheDir = defaultCacheDir(), ...work } = parsed;
  const all = withClassNames(await readEmoji(cacheDir, side, work));
  const limit = classes === undefined ? undefined : split === 'zero-shot' ? 2 * classes : classes;
  const kept = limit === undefined ? all : limitClasses(all, limit, seed);
  return split === 'zero-shot' ? splitByClass(kept, { seed }) : splitBySample(kept, { testFraction: 0.5, seed });
}

export const emojiPart = dataSetPart(
  'emoji',
  '1,037 emoji as up to eleven vendors draw them, in colour and in black (`eat-dml data emoji` fetches them)',
  emojiOptions,
  (options, work) => emoji({ ...options, ...work }),
  {
    fetched: {
      packages: Object.entries(EMOJI_PACKAGES).map(([name, version]) => `${name}@${version}`),
      size: '17 MB to download, 84 MB unpacked',
      folder: emojiPackagesDir,
      side: emojiSide,
      build: buildEmojiCache,
      hint: FETCH_EMOJI,
    },
  },
);

/** Where `eat-dml data emoji` installs the packages. */
export function emojiPackagesDir(cacheDir = defaultCacheDir()): string {
  return join(parse(cacheFolder, cacheDir, 'cacheDir'), 'emoji-packages');
}

const buildOptions = z.strictObject({
  side: emojiSide,
  ...longWork,
});

export type BuildEmojiOptions = z.input<typeof buildOptions>;

/**
 * Renders the installed packages into the cache; how many emoji and images that are, and who drew them.
 *
 * @throws EatDmlError ERR_DATA when a package is missing or damaged; ERR_ABORTED; ERR_ARGUMENT.
 */
export async function buildEmojiCache(cacheDir = defaultCacheDir(), options: BuildEmojiOptions = {}): Promise<Built> {
  const packages = emojiPackagesDir(cacheDir);
  const parsed = parseOptions(buildOptions, options);
  const { arrays, credits } = await render(await readPackages(packages), parsed.side, parsed);
  throwIfAborted(parsed.signal);
  await writeCache(await emojiCache(cacheDir, parsed.side), arrays);
  return { classes: new Set(arrays.labels.data as Int32Array).size, images: arrays.labels.data.length, credits };
}

interface Packages {
  sets: IconSet[];
  drawings: Drawing<IconSet>[];
}

async function readPackages(packages: string): Promise<Packages> {
  const sets = await readIconSets(packages);
  const { drawings } = emojiClasses(sets);
  if (drawings.length > 0) return { sets, drawings };
  const counts = sets.map(({ icons }) => icons.size).join(', ');
  throw new EatDmlError(
    'ERR_DATA',
    `Expected emoji that most vendors draw in ${packages} but received none among ${counts} icons.`,
    { hint: FETCH_EMOJI },
  );
}

async function render(
  { sets, drawings }: Packages,
  side: number,
  work: LongWork,
): Promise<{ arrays: ParsedArrays; credits: Credit[] }> {
  const names = drawings.map(({ set, icon }) => `${set.prefix}:${icon}`);
  const iconOf = (at: number) => ({ name: names[at], icon: iconNamed(drawings[at].set, drawings[at].icon) });
  const images = await renderDrawings(names.length, iconOf, side, work);
  const labels = Int32Array.from(drawings, ({ label }) => label);
  const credits = sets.map((set) => ({
    ...set.credit,
    images: drawings.filter((drawing) => drawing.set === set).length,
  }));
  return {
    arrays: {
      images: { shape: [names.length, side, side, 3], data: images },
      labels: { shape: [names.length], data: labels },
      names,
    },
    credits,
  };
}

/** Another number where other drawings, or other pixels, are made of the same packages. */
const RULE = 1;

/** What the pixels depend on is in the name, so other versions of the packages or of sharp are rendered anew. */
export async function emojiCache(cacheDir: string, side: number): Promise<Cache> {
  const made = sha256(JSON.stringify([RULE, EMOJI_PACKAGES, await rendererVersion()])).slice(0, 12);
  const files = { images: 'images-idx4-ubyte', labels: 'labels-idx1-int', names: 'names.json' };
  const folder = join(cacheDir, `emoji-${made}-${side}`);
  return { name: 'emoji', title: 'the emoji', folder, ...files, shape: [side, side, 3] };
}

async function readEmoji(cacheDir: string, side: number, work: LongWork): Promise<Dataset> {
  const cache = await emojiCache(cacheDir, side);
  const packages = () => readPackages(emojiPackagesDir(cacheDir));
  const make = async () => (await render(await packages(), side, work)).arrays;
  const kept = await readCache(cache).catch((damage) => remake(cache, damage, FETCH_EMOJI, make));
  if (kept) return kept;
  const found = await packages();
  process.emitWarning(`eat-dml renders the emoji at ${side} x ${side} pixels and keeps them, once for every side.`);
  return keep(cache, (await render(found, side, work)).arrays);
}

/** An emoji is called as the first vendor that draws it calls it. */
function withClassNames(data: Dataset): Dataset {
  const classNames: Record<number, string> = {};
  data.names?.forEach((name, i) => {
    classNames[data.labels[i]] ??= name.slice(name.indexOf(':') + 1);
  });
  return { ...data, classNames };
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
