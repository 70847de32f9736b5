import { z } from 'zod';
import { defaultCacheDir } from '../cache-folder.js';
import { type ClassNames, namesAmong } from '../class-names.js';
import { EatDmlError } from '../errors.js';
import { type LongWork, longWork } from '../long-work.js';
import { parse, parseOptions } from '../options.js';
import { brokenFiles } from './broken-files.js';
import { type Archive, classCount } from './layouts/archive.js';
import { findLayout, LAYOUT_NAMES } from './layouts/find-layout.js';
import { holdsParquet, parquetArchive, parquetLabels } from './layouts/parquet.js';
import { npzCounts } from './sets/npz.js';

/** How many faults are told; all are counted. */
const MOST = 20;

const inspectOptions = z.strictObject({
  as: z
    .enum(['parquet', 'npz', ...LAYOUT_NAMES])
    .optional()
    .describe('the layout that it should be'),
  verify: z.boolean().default(false).describe('decode every image, too: one that is broken is a fault'),
  ...longWork,
});

/** Options of {@link inspect}. */
export type InspectOptions = z.input<typeof inspectOptions>;

/** What {@link inspect} found. */
export interface Inspection {
  /** cub200, cars196/union, ... */
  layout: string;
  /** As the lists say, missing ones counted too. */
  images: number;
  classes: number;
  /** By label, where the archive has names. */
  classNames?: ClassNames;
  splits: Record<string, { images: number; classes: number }>;
  /** The first 20 faults, as sentences. */
  faults: string[];
  /** How many there are in all. */
  faultCount: number;
}

type Summary = Omit<Inspection, 'faults' | 'faultCount'>;

/** What is counted of an archive. */
type Counted = Pick<Archive, 'layout' | 'labels' | 'sides'> & Partial<Pick<Archive, 'classNames'>>;

/** What was recognised, and how it is read. */
interface Recognised {
  layout: string;
  read(onFault: (fault: EatDmlError) => void): Promise<Counted>;
  /** Its images as files; undefined where they are in memory when they are read. */
  files?(): Promise<Pick<Archive, 'root' | 'files'>>;
}

/**
 * What the archive at `path` holds, by its lists and folders: no image is opened unless `verify` says so, but each is looked for.
 * What is wrong with a list or an image is one of the faults, and no error. Parquet files and .npz files are known by their names.
 *
 * @throws EatDmlError ERR_DATA where no layout is found, or several; ERR_ARGUMENT, ERR_ABORTED.
 *
 * @example
 * ```ts
 * import { inspect } from 'eat-dml';
 *
 * const { layout, images, classes, faults, faultCount } = await inspect('photos', { verify: true });
 * console.log(layout, images, classes, faults, faultCount);
 * ```
 */
export async function inspect(path: string, options: InspectOptions = {}): Promise<Inspection> {
  parse(z.string(), path, 'path');
  const { as, verify, ...work } = parseOptions(inspectOptions, options);
  const { layout, read, files } = await recognised(path, { as, verify }, work);
  const faults: string[] = [];
  let faultCount = 0;
  const onFault = ({ message }: EatDmlError) => {
    if (++faultCount <= MOST) faults.push(message);
  };
  let summary: Summary = { layout, images: 0, classes: 0, splits: {} };
  try {
    summary = summaryOf(await read(onFault));
    if (verify && files) {
      const { root, files: images } = await files();
      for await (const { broken } of brokenFiles(root, images, work)) for (const { fault } of broken) onFault(fault);
    }
  } catch (error) {
    // A list that is missing, or is none at all.
    if (!(error instanceof EatDmlError) || error.code !== 'ERR_DATA') throw error;
    onFault(error);
  }
  return { ...summary, faults, faultCount };
}

async function recognised(
  path: string,
  { as, verify }: Pick<z.output<typeof inspectOptions>, 'as' | 'verify'>,
  work: LongWork,
): Promise<Recognised> {
  const { signal } = work;
  if (as === 'npz' || (as === undefined && path.endsWith('.npz'))) {
    return { layout: 'npz', read: () => npzCounts(path, { signal }) };
  }
  if (as === 'parquet' || (as === undefined && (await holdsParquet(path)))) {
    return {
      layout: 'parquet',
      read: (onFault) => parquetLabels(path, { onFault, signal }),
      files: () => parquetArchive(path, defaultCacheDir(), work),
    };
  }
  const { layout, read } = await findLayout(path, as);
  let archive: Archive;
  return {
    layout,
    read: async (onFault) => {
      // One that is missing is found by decoding, too, and told once.
      archive = await read({ onFault, ...work, stat: !verify });
      return archive;
    },
    files: async () => archive,
  };
}

function summaryOf(archive: Counted): Summary {
  const splits = Object.entries(archive.sides).map(([name, indices]) => {
    return [name, { images: indices.length, classes: classCount(archive, indices) }] as const;
  });
  const { layout, labels } = archive;
  const classNames = namesAmong(labels, Object.fromEntries(archive.classNames ?? []));
  return {
    ...{ layout, images: labels.length, classes: classCount(archive) },
    ...(classNames && { classNames }),
    splits: Object.fromEntries(splits),
  };
}
