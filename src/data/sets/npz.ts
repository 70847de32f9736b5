import { z } from 'zod';
import { dataFault, invalid } from '../../errors.js';
import type { LongWork } from '../../long-work.js';
import { parseOptions } from '../../options.js';
import { classesOf, type Dataset } from '../dataset.js';
import type { Archive } from '../layouts/archive.js';
import { readNpz } from '../npz.js';
import { archiveShape, type DataSides, withValidation } from '../open-archive.js';
import type { ReadOptions } from '../source.js';
import { splitByClass } from '../splits.js';
import { dataSetPart } from './data-set.js';

const npzOptions = z.strictObject({
  root: z
    .string('a file')
    .min(1, 'a file')
    .describe('a .npz file of images [n, h, w] or [n, h, w, c], bytes, and labels [n]'),
  split: archiveShape.split.describe(
    'papers: the sides in the file, else the first half of the classes trains; random: a random half; none: all as test',
  ),
  seed: archiveShape.seed,
  validation: archiveShape.validation,
});

/** Images of one's own, as arrays of numpy. */
async function npz(options: z.input<typeof npzOptions>, { signal }: LongWork = {}): Promise<DataSides<Dataset>> {
  const { root, split, seed = 0, validation } = parseOptions(npzOptions, options);
  const found = await readNpz(root, { signal });
  if (!('all' in found) && split !== 'papers')
    throw invalid('split', `papers, as ${root} has sides of its own,`, split);
  const sides = 'all' in found ? halves(root, found.all, split, seed) : found;
  return validation === undefined ? sides : withValidation(sides, validation, seed);
}

/** Labels and sides of a .npz file, as `papers` has them. */
export async function npzCounts(
  path: string,
  options: ReadOptions,
): Promise<Pick<Archive, 'layout' | 'labels' | 'sides'>> {
  const found = await readNpz(path, options);
  const datasets = Object.entries('all' in found ? halves(path, found.all, 'papers', 0) : found) as [string, Dataset][];
  const labels: number[] = [];
  const sides = datasets.map(([side, { labels: own }]) => {
    const indices = Int32Array.from(own, (label) => labels.push(label) - 1);
    return [side, indices] as const;
  });
  return { layout: 'npz', labels: Int32Array.from(labels), sides: Object.fromEntries(sides) };
}

function halves(
  path: string,
  all: Dataset,
  split: z.output<typeof npzOptions>['split'],
  seed: number,
): DataSides<Dataset> {
  if (split === 'none') return { test: all };
  const classes = [...classesOf(all)];
  if (classes.length < 2) throw dataFault(path, 'labels of at least 2 classes', 'one class');
  return splitByClass(all, split === 'random' ? { seed } : { trainClasses: classes.slice(0, classes.length >> 1) });
}

export const npzPart = dataSetPart('npz', 'images of your own, as arrays in a .npz file of numpy', npzOptions, npz);
