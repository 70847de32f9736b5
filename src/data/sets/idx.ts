import { z } from 'zod';
import { EatDmlError, throwIfAborted } from '../../errors.js';
import type { LongWork } from '../../long-work.js';
import { parseOptions, seed } from '../../options.js';
import { classesOf } from '../dataset.js';
import { idxDataset } from '../idx-dataset.js';
import { fraction, type Split, splitByClass, splitBySample, splitKind, trainClasses } from '../splits.js';
import { dataSetPart } from './data-set.js';

const idxOptions = z.strictObject({
  images: z.string().describe('IDX file (.gz too) of [n, h, w] or [n, h, w, c] bytes'),
  labels: z.string().describe('IDX file of [n] labels'),
  split: splitKind.default('zero-shot').describe('zero-shot: train and test share no class'),
  trainClasses: trainClasses.optional().describe('zero-shot only: the classes to train on (default a random half)'),
  testFraction: fraction.default(0.2).describe('closed-set only'),
  seed: seed.optional().describe('which classes and which side (default 0; of a run, the run’s)'),
});

/** Images of one's own, of two IDX files. */
async function idx(options: z.input<typeof idxOptions>, { signal }: LongWork = {}): Promise<Split> {
  const { images, labels, split, trainClasses, testFraction, seed = 0 } = parseOptions(idxOptions, options);
  throwIfAborted(signal);
  const dataset = await idxDataset({ images, labels });
  throwIfAborted(signal);
  if (split === 'closed-set') return splitBySample(dataset, { testFraction, seed });
  if (classesOf(dataset).length >= 2) return splitByClass(dataset, { trainClasses, seed });
  const expected = 'labels of at least 2 classes, which the zero-shot split needs,';
  throw new EatDmlError('ERR_DATA', `Expected ${expected} but received one class in ${labels}.`, {
    hint: 'The closed-set split does with one.',
  });
}

export const idxPart = dataSetPart('idx', 'images of your own, as two IDX files', idxOptions, idx);
