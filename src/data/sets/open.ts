import type { z } from 'zod';
import { type Part, partNamed, partsOf } from '../../part.js';
import type { DataSides } from '../open-archive.js';
import { type Source, sourceOf } from '../source.js';
import * as dataSets from './list.js';

const DATA_SETS = partsOf(dataSets);

type Sets = (typeof DATA_SETS)[number];
export type DataSetName = Sets['name'];
/** The options of a data set (docs/parts.md). */
export type DataSetOptions<Name extends DataSetName> = z.input<Extract<Sets, { name: Name }>['options']>;

/**
 * The sides of a data set by its name, each a {@link Source}: `train` and `test`, or `train`, `query` and `gallery`, and
 * `validation` where it is asked for. Photographs are read when they are asked for, not now.
 *
 * @throws EatDmlError ERR_DATA that names the file, where something is missing or wrong; ERR_ARGUMENT that names the option.
 */
export async function openData<Name extends DataSetName>(
  name: Name,
  options: DataSetOptions<Name> = {} as DataSetOptions<Name>,
): Promise<DataSides<Source>> {
  const sets = DATA_SETS as unknown as readonly Part<string, z.ZodObject, Promise<DataSides<never>>>[];
  const sides = await partNamed(sets, name, 'name').make(options as never);
  const opened = Object.entries(sides).map(([side, data]) => [side, sourceOf(data as never)]);
  return Object.fromEntries(opened) as DataSides<Source>;
}
