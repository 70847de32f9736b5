import { z } from 'zod';
import { namesAmong } from '../class-names.js';
import { EatDmlError, invalid } from '../errors.js';
import { type LongWork, longWork } from '../long-work.js';
import { callback, count, parseOptions, seed } from '../options.js';
import { randomStream } from '../random.js';
import { leftOutOf, skipBroken, wholeFiles } from './broken-files.js';
import { classesOf, type Dataset, type SplitSide } from './dataset.js';
import { imageFiles } from './image-files.js';
import type { Archive } from './layouts/archive.js';
import { lookOver, type OpenWork } from './look-over.js';
import { type Source, subset } from './source.js';
import { fraction, splitByClass, splitId } from './splits.js';
import { type TransformOptions, transformOptions } from './transforms.js';

/** How the field looks at photographs: 224 pixels from the centre of 256; random parts and mirrored in training. For other sizes alike. */
export function photographs(pixels: number): TransformOptions {
  return { resize: Math.round((pixels * 8) / 7), randomResizedCrop: pixels, flip: true };
}
const PHOTOGRAPHS = photographs(224);

/** The options of a set of photographs in a folder, as keys of a schema. */
export const archiveShape = {
  root: z.string('a folder').min(1, 'a folder').describe('the folder of the unpacked archive'),
  split: z
    .enum(['papers', 'random', 'none'])
    .default('papers')
    .describe(
      'papers: the sides that papers use; random: a random half of all classes on either side; none: all as test',
    ),
  seed: seed.optional().describe('which classes of a random split or of validation (default 0; of a run, the run’s)'),
  validation: fraction
    .optional()
    .describe('share of the classes of the training side that are kept for validation (default none)'),
  transform: transformOptions.optional().describe('how files become images (default 224 pixels cut from 256)'),
  channels: z.literal([1, 3]).default(3).describe('3 for red, green and blue, 1 for grey'),
  concurrency: count.optional().describe('files that are read and decoded at a time'),
  skipBroken: skipBroken
    .default(0)
    .describe('how many missing or broken images may be left out; above 0 every image is decoded once to find them'),
};

const openOptions = z.strictObject({
  ...archiveShape,
  ...longWork,
  onLooked: callback<NonNullable<OpenWork['onLooked']>>()
    .optional()
    .describe('has files that training does not see looked at, and is told what was found'),
});

export type OpenArchiveOptions = Omit<z.input<typeof openOptions>, 'transform'> & { transform?: TransformOptions };

/** The sides of a data set; those that it has. */
export interface DataSides<Data extends Source | Dataset = Source> {
  train?: Data;
  /** Of other classes than `train`, cut from the training side. */
  validation?: Data;
  test?: Data;
  /** What is looked up in `gallery`, in place of `test`. */
  query?: Data;
  gallery?: Data;
}

/** Finds out what lies in a folder. */
export type ReadArchive = (root: string, options: LongWork & { stat?: boolean }) => Promise<Archive>;

/**
 * The sides of an unpacked archive of photographs, which `read` finds in the layout that its set has; images are read when they are asked for.
 *
 * @throws EatDmlError ERR_DATA that names the file, where a list or an image is missing or wrong; ERR_ARGUMENT, ERR_ABORTED.
 */
export async function openArchive(name: string, options: OpenArchiveOptions, read: ReadArchive): Promise<DataSides> {
  const {
    root,
    split,
    seed = 0,
    validation,
    transform,
    channels,
    concurrency,
    skipBroken,
    onLooked,
    ...work
  } = parseOptions(openOptions, options);
  const { leftOut, ...archive } = await readWhole(root, read, skipBroken, work);
  const { files, labels } = archive;
  const classNames = namesAmong(labels, Object.fromEntries(archive.classNames));
  const look = { transform: transform ?? PHOTOGRAPHS, channels, ...(concurrency && { concurrency }), seed };
  const all = imageFiles({ name, root: archive.root, files, labels, classNames, leftOut, ...look });
  if (split === 'none') return { test: all };
  const sides = split === 'random' ? splitByClass(all, { seed }) : papersSides(archive, all);
  // With skipBroken all were decoded.
  if (onLooked && skipBroken === 0) onLooked(await lookOver(archive.root, filesOf(sides), work));
  return validation === undefined ? sides : withValidation(sides, validation, seed);
}

/** The files that training sees, and those that it does not. */
function filesOf({ train, ...others }: DataSides): { learnt: readonly string[]; unseen: readonly string[] } {
  return { learnt: train?.names ?? [], unseen: Object.values(others).flatMap(({ names = [] }: Source) => names) };
}

/** The archive without the images that are missing or broken, of which there may be `most`. */
async function readWhole(
  root: string,
  read: ReadArchive,
  most: number,
  work: LongWork,
): Promise<Archive & { leftOut?: readonly string[] }> {
  if (most === 0) return read(root, work);
  const archive = await read(root, { ...work, stat: false });
  const { files, labels } = archive;
  const kept = await wholeFiles(archive.root, files, most, work);
  const at = new Map(Array.from(kept, (index, i) => [index, i]));
  const sides = Object.entries(archive.sides).map(([side, indices]) => {
    return [side, indices.filter((index) => at.has(index)).map((index) => at.get(index)!)] as const;
  });
  return {
    ...archive,
    files: Array.from(kept, (index) => files[index]),
    labels: kept.map((index) => labels[index]),
    sides: Object.fromEntries(sides),
    leftOut: leftOutOf(files, kept),
  };
}

/** The sides that the archive's lists, or the papers, say. */
function papersSides({ sides }: Archive, all: Source): DataSides {
  const given = Object.entries(sides).filter(([, indices]) => indices.length > 0);
  const learnt = new Set(sides.train && Array.from(sides.train, (i) => all.labels[i]));
  const kind = given.every(([side, indices]) => side === 'train' || indices.every((i) => !learnt.has(all.labels[i])))
    ? 'zero-shot'
    : 'closed-set';
  const id = splitId(
    all,
    kind,
    given.flatMap(([side, indices]) => (side === 'train' ? [] : [...indices])),
  );
  const sourceOfSide = ([side, indices]: [string, Int32Array]): [string, Source] => {
    const role = side === 'query' || side === 'gallery' ? side : undefined;
    const splits: SplitSide[] = [{ id, kind, side: side === 'train' ? 'train' : 'test' }];
    return [side, { ...subset(all, indices), splits, ...(role && { role }) }];
  };
  return Object.fromEntries(given.map(sourceOfSide));
}

/** The training side without a random share of its classes, which become `validation`. */
export function withValidation<Data extends Source | Dataset>(
  sides: DataSides<Data>,
  share: number,
  seed: number,
): DataSides<Data> {
  const { train } = sides;
  if (!train) throw new EatDmlError('ERR_DATA', 'Expected a training side to cut validation from but there is none.');
  const classes = classesOf(train);
  const kept = classes.length - Math.max(1, Math.round(share * classes.length));
  if (kept < 1)
    throw invalid('validation', `a share that leaves some of the ${classes.length} classes to train on`, share);
  const order = randomStream(seed, 'validation').permutation(classes.length);
  const trainClasses = Array.from(order.subarray(0, kept), (at) => classes[at]);
  const { train: learnt, test: validation } = splitByClass(train, { trainClasses });
  return { ...sides, train: learnt, validation };
}
