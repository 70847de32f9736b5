import { z } from 'zod';
import { EatDmlError, invalid } from '../errors.js';
import { parse, parseOptions, seed } from '../options.js';
import { type RandomStream, randomStream } from '../random.js';
import { checkPositive, checkSeed, classesOf, type Dataset, type SplitSide, samples } from './dataset.js';
import { checkSource, identityOf, type Source, sha256, subset } from './source.js';

/** Two sides of one data set, without an image in common. */
export interface Split<Data extends Source | Dataset = Dataset> {
  train: Data;
  test: Data;
}

/** Classes to train on, as a schema. */
export const trainClasses = z.array(z.int('a class, an integer'), 'an array of classes');

const FRACTION = 'a number in (0, 1)';
/** A share of the images, as a schema. */
export const fraction = z.number(FRACTION).gt(0, FRACTION).lt(1, FRACTION);

export const splitKind = z.enum(['zero-shot', 'closed-set']);

const classSplitOptions = z.strictObject({
  trainClasses: trainClasses.optional().describe('default a random half of the classes, rounded down'),
  seed: seed.default(0),
});

/** Options of {@link splitByClass}. */
export type ClassSplitOptions = Omit<z.input<typeof classSplitOptions>, 'trainClasses'> & {
  /** Classes to train on; by default a random half of them (rounded down). */
  trainClasses?: readonly number[];
};

const sampleSplitOptions = z.strictObject({
  testFraction: fraction.describe('share of the images that go to `test`'),
  seed: seed.default(0),
});

/** Options of {@link splitBySample}. */
export type SampleSplitOptions = z.input<typeof sampleSplitOptions>;

/**
 * The *zero-shot* split: train and test share no class. Images keep their order.
 *
 * @throws EatDmlError ERR_ARGUMENT when a class is not in the dataset or a side would be left without classes.
 */
export function splitByClass<Data extends Source | Dataset>(
  dataset: Data,
  options: ClassSplitOptions = {},
): Split<Data> {
  checkSource('dataset', dataset);
  const { seed, trainClasses } = parseOptions(classSplitOptions, options);
  const classes = classesOf(dataset);
  if (classes.length < 2) {
    throw new EatDmlError('ERR_ARGUMENT', `Expected at least 2 classes to split but received ${classes.length}.`);
  }
  const chosen = new Set(trainClasses ? checkClasses(trainClasses, classes) : randomHalf(classes, seed));
  return splitWhere(dataset, 'zero-shot', (i) => !chosen.has(dataset.labels[i]));
}

/**
 * The *closed-set* split: the same classes on both sides, no image in common. `test` gets
 * `round(length * testFraction)` images, drawn at random with every class at its share (up to one image). Images keep
 * their order.
 *
 * @throws EatDmlError ERR_ARGUMENT when the fraction is outside (0, 1) or would leave a side empty.
 */
export function splitBySample<Data extends Source | Dataset>(dataset: Data, options: SampleSplitOptions): Split<Data> {
  checkSource('dataset', dataset);
  const { testFraction, seed } = parseOptions(sampleSplitOptions, options);
  const { length } = dataset.labels;
  const wanted = Math.round(length * testFraction);
  if (wanted === 0 || wanted === length) {
    throw invalid('testFraction', `a share of ${length} images that leaves both sides some`, testFraction);
  }
  const random = randomStream(seed, 'split-by-sample');
  const groups = indicesByClass(dataset.labels);
  const quotas = proportionalQuotas(
    groups.map((group) => group.length),
    wanted,
    random,
  );
  const inTest = new Uint8Array(length);
  groups.forEach((group, c) => {
    const order = random.permutation(group.length);
    for (let i = 0; i < quotas[c]; i++) inTest[group[order[i]]] = 1;
  });
  return splitWhere(dataset, 'closed-set', (i) => inTest[i] === 1);
}

/**
 * Cuts 0 .. count-1 at random into `parts` disjoint sets that together hold every index; sizes differ by at most one,
 * each set ascends.
 *
 * @throws EatDmlError ERR_ARGUMENT when there are more parts than indices.
 */
export function partition(count: number, parts: number, seed: number): Int32Array[] {
  parse(samples, count, 'count');
  checkPositive('parts', parts);
  checkSeed(seed);
  if (parts > count) throw invalid('parts', `at most ${count} parts of ${count} samples`, parts);
  const order = randomStream(seed, 'partition').permutation(count);
  const edge = (part: number) => Math.floor((part * count) / parts);
  return Array.from({ length: parts }, (_, part) => order.slice(edge(part), edge(part + 1)).sort());
}

/** At most `perClass` random images of every class, in their order. */
export function limitPerClass<Data extends Source | Dataset>(dataset: Data, perClass: number, seed: number): Data {
  checkPositive('perClass', perClass);
  checkSeed(seed);
  const random = randomStream(seed, 'limit-per-class');
  const kept = indicesByClass(dataset.labels).flatMap((group) => {
    const order = random.permutation(group.length);
    return Array.from(order.subarray(0, perClass), (at) => group[at]);
  });
  return subset(dataset, Int32Array.from(kept).sort());
}

/** The indices of each class, classes ascending. */
export function indicesByClass(labels: Int32Array): number[][] {
  const groups = new Map<number, number[]>();
  labels.forEach((label, i) => {
    const group = groups.get(label);
    if (group) group.push(i);
    else groups.set(label, [i]);
  });
  return [...groups.keys()].sort((a, b) => a - b).map((label) => groups.get(label)!);
}

/** Shares `total` out in proportion to `sizes`: rounded down, then one more to the largest remainders, ties at random. */
function proportionalQuotas(sizes: number[], total: number, random: RandomStream): number[] {
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const exact = sizes.map((size) => (size * total) / all);
  const quotas = exact.map(Math.floor);
  const missing = total - quotas.reduce((sum, quota) => sum + quota, 0);
  const remainder = (c: number) => exact[c] - quotas[c];
  const order = [...random.permutation(sizes.length)].sort((a, b) => remainder(b) - remainder(a));
  for (const c of order.slice(0, missing)) quotas[c]++;
  return quotas;
}

/** What a split is known by: what was split, how, and which images are not for training. */
export function splitId(data: Source | Dataset, kind: SplitSide['kind'], test: readonly number[]): string {
  return sha256(`${identityOf(data)} ${kind} ${test}`);
}

function splitWhere<Data extends Source | Dataset>(
  dataset: Data,
  kind: SplitSide['kind'],
  isTest: (i: number) => boolean,
): Split<Data> {
  const [train, test]: [number[], number[]] = [[], []];
  for (let i = 0; i < dataset.labels.length; i++) (isTest(i) ? test : train).push(i);
  const id = splitId(dataset, kind, test);
  const sideOf = (side: SplitSide['side'], indices: number[]): Data => {
    const splits = [...(dataset.splits ?? []), { id, kind, side }];
    return { ...subset(dataset, indices), splits };
  };
  return { train: sideOf('train', train), test: sideOf('test', test) };
}

function randomHalf(classes: Int32Array, seed: number): Int32Array {
  const order = randomStream(seed, 'split-by-class').permutation(classes.length);
  return order.subarray(0, classes.length >> 1).map((at) => classes[at]);
}

function checkClasses(trainClasses: readonly number[], classes: Int32Array): readonly number[] {
  trainClasses.forEach((label, i) => {
    if (!classes.includes(label)) throw invalid(`trainClasses[${i}]`, `one of the classes ${shown(classes)}`, label);
  });
  const distinct = new Set(trainClasses).size;
  if (distinct > 0 && distinct < classes.length) return trainClasses;
  const expected = `1 to ${classes.length - 1} of the ${classes.length} classes`;
  throw new EatDmlError('ERR_ARGUMENT', `Expected ${expected} in trainClasses but received ${distinct}.`);
}

function shown(classes: Int32Array): string {
  return classes.length > 20 ? `${classes.subarray(0, 20).join(', ')}, ...` : classes.join(', ');
}
