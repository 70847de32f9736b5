import { z } from 'zod';
import type { EatDmlError } from '../../errors.js';
import { longWork } from '../../long-work.js';
import { callback } from '../../options.js';
import type { OnFault } from './text-list.js';

/** What an unpacked archive holds, by its lists and folders alone: no image is opened. */
export interface Archive {
  /** As `--as` takes it: cub200, cars196, in-shop, sop, folder; with the variant where there are several (cars196/union). */
  layout: string;
  root: string;
  /** Of every image, relative to root, '/' between folders, in the archive's order. */
  files: readonly string[];
  /** Class of each image, the number that the archive gives it (of a folder: its place among the sorted folder names). */
  labels: Int32Array;
  /** Name of each class, where the archive has names. */
  classNames: ReadonlyMap<number, string>;
  /** The papers' sides: train and test, or train, query and gallery; indices into files, ascending. */
  sides: Readonly<Record<string, Int32Array>>;
}

function raise(fault: EatDmlError): never {
  throw fault;
}

/** Options of every layout, as a schema. */
export const layoutOptions = z.strictObject({
  stat: z.boolean().default(true).describe('looks whether every listed image is there, and is not empty'),
  onFault: callback<OnFault>()
    .default(() => raise)
    .describe('told of each fault of a line or an image; default: the first is thrown'),
  ...longWork,
});

/**
 * - `stat`: whether every listed image must be there, and not be empty (default true).
 * - `onFault`: told of each fault of a line, which then counts as absent, and of each image that is missing, which does not.
 *   By default the first one is thrown.
 */
export type LayoutOptions = z.input<typeof layoutOptions>;

/** One image, as a list or a folder has it. */
export interface Listed {
  /** Relative to the archive's root. */
  file: string;
  label: number;
  side: string;
}

/** The archive of `images`; `sides` names all that it has, also those that are empty. */
export function archiveOf(
  layout: string,
  root: string,
  sides: readonly string[],
  images: readonly Listed[],
  classNames: ReadonlyMap<number, string> = new Map(),
): Archive {
  const indices = new Map<string, number[]>(sides.map((side) => [side, []]));
  images.forEach(({ side }, i) => {
    indices.get(side)!.push(i);
  });
  return {
    layout,
    root,
    files: images.map(({ file }) => file),
    labels: Int32Array.from(images, ({ label }) => label),
    classNames,
    sides: Object.fromEntries([...indices].map(([side, rows]) => [side, Int32Array.from(rows)])),
  };
}

/** How many classes `indices` have; of all images without. */
export function classCount({ labels }: Pick<Archive, 'labels'>, indices?: Int32Array): number {
  return new Set(indices ? indices.map((i) => labels[i]) : labels).size;
}
