import { z } from 'zod';
import { EatDmlError } from '../errors.js';
import { parse, parseOptions, signal } from '../options.js';
import { type Archive, classCount } from './layouts/archive.js';
import { findLayout, layoutName } from './layouts/find-layout.js';

/** How many faults are told: more say no more. */
const MOST = 20;

const inspectOptions = z.strictObject({
  as: layoutName.optional().describe('the layout that it should be'),
  signal: signal.optional(),
});

export type InspectOptions = z.input<typeof inspectOptions>;

/** What {@link inspect} found. */
export interface Inspection {
  /** cub200, cars196/union, ... */
  layout: string;
  /** As the lists say, missing ones counted too. */
  images: number;
  classes: number;
  splits: Record<string, { images: number; classes: number }>;
  /** The first 20 faults, as sentences. */
  faults: string[];
}

/**
 * What the archive at `path` holds, by its lists and folders: no image is opened, but each is looked for. What is wrong with
 * a list or an image is one of the faults, and no error.
 *
 * @throws EatDmlError ERR_DATA where no layout is found, or several; ERR_ARGUMENT, ERR_ABORTED.
 */
export async function inspect(path: string, options: InspectOptions = {}): Promise<Inspection> {
  parse(z.string(), path, 'path');
  const { as, signal } = parseOptions(inspectOptions, options);
  const { layout, read } = await findLayout(path, as);
  const faults: string[] = [];
  const onFault = ({ message }: EatDmlError) => {
    if (faults.length < MOST) faults.push(message);
  };
  try {
    return { ...summaryOf(await read({ onFault, signal })), faults };
  } catch (error) {
    // A list that is missing, or is none at all.
    if (!(error instanceof EatDmlError) || error.code !== 'ERR_DATA') throw error;
    onFault(error);
    return { layout, images: 0, classes: 0, splits: {}, faults };
  }
}

function summaryOf(archive: Archive): Omit<Inspection, 'faults'> {
  const splits = Object.entries(archive.sides).map(([name, indices]) => {
    return [name, { images: indices.length, classes: classCount(archive, indices) }] as const;
  });
  const { layout, files } = archive;
  return { layout, images: files.length, classes: classCount(archive), splits: Object.fromEntries(splits) };
}
