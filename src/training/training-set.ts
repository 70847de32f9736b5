import { classesOf, type Source } from '../data/index.js';
import { EatDmlError, invalid } from '../errors.js';
import { epochBatches } from './batches.js';
import { checkPairs } from './idle.js';
import type { Settings } from './options.js';

/** The training set as the steps take it. */
export interface TrainingSet {
  data: Source;
  /** Label of each row of the proxies. */
  classes: Int32Array;
  /** Row of the proxies for each sample. */
  classOf: Int32Array;
  /** memberOf[i][sample] is 1 where member i learns from the sample. */
  memberOf: Uint8Array[];
  stepsPerEpoch: number;
  /** The samples of each batch of an epoch. */
  batchesOf(epoch: number): Int32Array[];
}

/** What the members learn from, of `data`. */
export function trainingSet(settings: Settings, data: Source): TrainingSet {
  const { method, seed, batch } = settings;
  const classes = classesOf(data);
  if (classes.length < 2) {
    throw new EatDmlError(
      'ERR_DATA',
      `Expected at least two classes to learn from but ${data.name} has ${classes.length}.`,
    );
  }
  const rowOf = new Map(Array.from(classes, (label, row) => [label, row]));
  const parts = method.memberData(data.labels, seed);
  const isSample = (sample: number) => Number.isInteger(sample) && sample >= 0 && sample < data.labels.length;
  const fits = Array.isArray(parts) && parts.length === method.members;
  if (!fits || !parts.every((part) => part instanceof Int32Array && part.length > 0 && part.every(isSample))) {
    throw invalid('method.memberData', `${method.members} Int32Arrays of samples, none empty`, parts);
  }
  checkPairs(settings, data.labels, parts);
  const memberOf = parts.map((part) => {
    const own = new Uint8Array(data.labels.length);
    for (const sample of part) own[sample] = 1;
    return own;
  });
  const classOf = data.labels.map((label) => rowOf.get(label)!);
  // The samples that any member learns from.
  const candidates = Int32Array.from(data.labels.keys()).filter((i) => memberOf.some((own) => own[i] === 1));
  const labels = candidates.map((sample) => classOf[sample]);
  const batchesOf = (epoch: number) =>
    epochBatches(batch, labels, seed, epoch).map((rows) => rows.map((row) => candidates[row]));
  return { data, classes, classOf, memberOf, stepsPerEpoch: epochBatches(batch, labels, seed, 0).length, batchesOf };
}
