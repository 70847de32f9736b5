import { z } from 'zod';
import { EatDmlError } from '../../errors.js';
import { type LongWork, longWork } from '../../long-work.js';
import { parseOptions } from '../../options.js';
import { partNamed, partsOf } from '../../part.js';
import type { DataSides } from '../open-archive.js';
import { type Source, sourceOf } from '../source.js';
import type { DataSetPart } from './data-set.js';
import * as dataSets from './list.js';

const DATA_SETS = partsOf(dataSets);

const SIDES = ['train', 'validation', 'test', 'query', 'gallery'] as const satisfies readonly (keyof DataSides)[];

/** What is no option of any set. */
const openOptions = z.looseObject({
  sides: z.array(z.enum(SIDES), 'a list of sides').default([]).describe('sides that must be there'),
  ...longWork,
});

type Sets = (typeof DATA_SETS)[number];
/** A data set that {@link openData} opens by its name (docs/parts.md). */
export type DataSetName = Sets['name'];
/** The options of a data set (docs/parts.md). */
export type DataSetOptions<Name extends DataSetName> = z.input<Extract<Sets, { name: Name }>['options']>;

/** What {@link openData} takes beside the options of the set. */
export interface OpenDataOptions<Side extends keyof DataSides = never> extends LongWork {
  /** Sides that must be there, and then are no `undefined` for TypeScript: ERR_DATA names the first that is not (default none). */
  sides?: readonly Side[];
}

/**
 * The sides of a data set by its name, each a {@link Source}: `train` and `test`, or `train`, `query` and `gallery`, and
 * `validation` where it is asked for. Photographs are read when they are asked for, not now. What takes long before that tells
 * `onProgress` and heeds `signal`: looking for files, the check of `skipBroken`, images out of Parquet files, drawings of emoji.
 *
 * Which sides there are is in the files: `sides` says which must be.
 *
 * @throws EatDmlError ERR_DATA that names the file, or the side, where something is missing or wrong; ERR_ARGUMENT that names the option; ERR_ABORTED.
 *
 * @example
 * ```ts
 * import { openData } from 'eat-dml';
 *
 * // A folder for each class: photos/ant/1.png, photos/bee/1.png, ...
 * const transform = { resize: 36, randomResizedCrop: 32, flip: true };
 * const { train, test } = await openData('folder', { root: 'photos', transform, sides: ['train', 'test'] });
 * console.log(train.shape, train.labels.length, test.labels.length);
 * ```
 */
export async function openData<Name extends DataSetName, const Side extends keyof DataSides = never>(
  name: Name,
  options: DataSetOptions<Name> & OpenDataOptions<Side> = {} as DataSetOptions<Name> & OpenDataOptions<Side>,
): Promise<DataSides & Required<Pick<DataSides, Side>>> {
  const part = partNamed<unknown>(DATA_SETS as never, name, 'name') as DataSetPart;
  const { sides: asked, signal, onProgress, ...own } = parseOptions(openOptions, options);
  const sides = await part.make(own, { signal, onProgress });
  const missing = asked.find((side) => sides[side] === undefined);
  if (missing !== undefined) {
    const there = Object.keys(sides).join(', ');
    throw new EatDmlError('ERR_DATA', `Expected a side ${missing} of ${name} but it has ${there}.`);
  }
  const opened = Object.entries(sides).map(([side, data]) => [side, sourceOf(data as never)]);
  return Object.fromEntries(opened) as DataSides & Required<Pick<DataSides, Side>>;
}
