import { z } from 'zod';
import { invalid } from '../../errors.js';
import { parseOptions } from '../../options.js';
import { classesOf, type Dataset } from '../dataset.js';
import { readNpz } from '../npz.js';
import { archiveShape, type DataSides, withValidation } from '../open-archive.js';
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
async function npz(options: z.input<typeof npzOptions>): Promise<DataSides<Dataset>> {
  const { root, split, seed = 0, validation } = parseOptions(npzOptions, options);
  const found = await readNpz(root);
  if (!('all' in found) && split !== 'papers')
    throw invalid('split', `papers, as ${root} has sides of its own,`, split);
  const sides = 'all' in found ? halves(found.all, split, seed) : found;
  return validation === undefined ? sides : withValidation(sides, validation, seed);
}

function halves(all: Dataset, split: z.output<typeof npzOptions>['split'], seed: number): DataSides<Dataset> {
  if (split === 'none') return { test: all };
  const classes = [...classesOf(all)];
  return splitByClass(all, split === 'random' ? { seed } : { trainClasses: classes.slice(0, classes.length >> 1) });
}

export const npzPart = dataSetPart('npz', 'images of your own, as arrays in a .npz file of numpy', npzOptions, npz);
