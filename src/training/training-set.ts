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
  /** headOf[h][sample] is 1 where head h does; of a method with heads. */
  headOf?: Uint8Array[];
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
  const parts = checkedParts('memberData', method.memberData(data.labels, seed), method.members, data);
  checkPairs(settings, data.labels, parts, 'member');
  const ofHeads = method.headData?.(data.labels, seed);
  const heads = ofHeads && checkedParts('headData', ofHeads, method.heads ?? 1, data);
  if (heads) checkPairs(settings, data.labels, heads, 'head');
  const memberOf = parts.map((part) => markedIn(part, data.labels.length));
  const headOf = heads?.map((part) => markedIn(part, data.labels.length));
  const classOf = data.labels.map((label) => rowOf.get(label)!);
  // The samples that any member learns from.
  const candidates = Int32Array.from(data.labels.keys()).filter((i) => memberOf.some((own) => own[i] === 1));
  const labels = candidates.map((sample) => classOf[sample]);
  const batchesOf = (epoch: number) =>
    epochBatches(batch, labels, seed, epoch).map((rows) => rows.map((row) => candidates[row]));
  const { length: stepsPerEpoch } = epochBatches(batch, labels, seed, 0);
  return { data, classes, classOf, memberOf, ...(headOf && { headOf }), stepsPerEpoch, batchesOf };
}

/** What a hook cut the data into: ERR_ARGUMENT where that is not `count` lists of its samples, none empty. */
function checkedParts(hook: string, parts: Int32Array[], count: number, { labels }: Source): Int32Array[] {
  const isSample = (sample: number) => Number.isInteger(sample) && sample >= 0 && sample < labels.length;
  const fits = Array.isArray(parts) && parts.length === count;
  if (fits && parts.every((part) => part instanceof Int32Array && part.length > 0 && part.every(isSample)))
    return parts;
  throw invalid(`method.${hook}`, `${count} Int32Arrays of samples, none empty`, parts);
}

/** 1 for each of the samples that the part holds. */
function markedIn(part: Int32Array, samples: number): Uint8Array {
  const own = new Uint8Array(samples);
  for (const sample of part) own[sample] = 1;
  return own;
}
