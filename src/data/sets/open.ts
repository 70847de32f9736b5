import { z } from 'zod';
import { type LongWork, longWork } from '../../long-work.js';
import { parseOptions } from '../../options.js';
import { partNamed, partsOf } from '../../part.js';
import type { DataSides } from '../open-archive.js';
import { type Source, sourceOf } from '../source.js';
import type { DataSetPart } from './data-set.js';
import * as dataSets from './list.js';

const DATA_SETS = partsOf(dataSets);

/** What is no option of any set. */
const workOptions = z.looseObject(longWork);

type Sets = (typeof DATA_SETS)[number];
/** A data set that {@link openData} opens by its name (docs/parts.md). */
export type DataSetName = Sets['name'];
/** The options of a data set (docs/parts.md). */
export type DataSetOptions<Name extends DataSetName> = z.input<Extract<Sets, { name: Name }>['options']>;

/**
 * The sides of a data set by its name, each a {@link Source}: `train` and `test`, or `train`, `query` and `gallery`, and
 * `validation` where it is asked for. Photographs are read when they are asked for, not now. What takes long before that tells
 * `onProgress` and heeds `signal`: looking for files, the check of `skipBroken`, images out of Parquet files, drawings of emoji.
 *
 * @throws EatDmlError ERR_DATA that names the file, where something is missing or wrong; ERR_ARGUMENT that names the option; ERR_ABORTED.
 *
 * @example
 * ```ts
 * import { openData } from 'eat-dml';
 *
 * // A folder for each class: photos/ant/1.png, photos/bee/1.png, ...
 * const transform = { resize: 36, randomResizedCrop: 32, flip: true };
 * const { train, test } = await openData('folder', { root: 'photos', transform });
 * console.log(train!.shape, train!.labels.length, test!.labels.length);
 * ```
 */
export async function openData<Name extends DataSetName>(
  name: Name,
  options: DataSetOptions<Name> & LongWork = {} as DataSetOptions<Name> & LongWork,
): Promise<DataSides<Source>> {
  const part = partNamed<unknown>(DATA_SETS as never, name, 'name') as DataSetPart;
  const { signal, onProgress, ...own } = parseOptions(workOptions, options);
  const sides = await part.make(own, { signal, onProgress });
  const opened = Object.entries(sides).map(([side, data]) => [side, sourceOf(data as never)]);
  return Object.fromEntries(opened) as DataSides<Source>;
}
