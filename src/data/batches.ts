import { z } from 'zod';
import { isList } from '../checks.js';
import { EatDmlError } from '../errors.js';
import { count, parseOptions, seed } from '../options.js';
import { type RandomStream, randomStream } from '../random.js';
import { samples, toLabels } from './dataset.js';
import { indicesByClass } from './splits.js';

const epoch = z
  .int('an integer >= 0')
  .nonnegative('an integer >= 0')
  .describe('batches of another epoch are in another random order');

/** More than any device takes at once; lists of that length still fit into memory. */
const LARGEST = 2 ** 22;

const balancedBatchOptions = z
  .strictObject({
    labels: z.custom<ArrayLike<number>>(isList, 'an array of integers').describe('the class of every sample'),
    classes: count.describe('P: different classes in a batch; at most as many as there are'),
    images: count.describe('K: images of each of them'),
    seed,
    epoch,
  })
  .check(({ value, issues }) => {
    const { classes, images } = value;
    if (classes * images <= LARGEST) return;
    const message = `at most ${LARGEST} images in a batch of ${classes} classes`;
    issues.push({ code: 'custom', path: ['images'], message, input: images });
  });

/** Options of {@link balancedBatches}: P classes, K images of each. */
export type BalancedBatchOptions = z.input<typeof balancedBatchOptions>;

const uniformBatchOptions = z
  .strictObject({
    count: samples.describe('number of samples'),
    size: count.describe('of a batch'),
    seed,
    epoch,
    last: z.enum(['keep', 'drop']).default('keep').describe('what to do with a last batch smaller than `size`'),
  })
  .check(({ value, issues }) => {
    const { count, size, last } = value;
    if (last !== 'drop' || size <= count) return;
    const message = `at most the ${count} samples when last is drop`;
    issues.push({ code: 'custom', path: ['size'], message, input: size });
  });

/** Options of {@link uniformBatches}. */
export type UniformBatchOptions = z.input<typeof uniformBatchOptions>;

/**
 * One epoch of P x K batches: sample indices, K of one class after K of the next, P different classes in each batch.
 * Every batch is full and every sample occurs at least once in the epoch.
 *
 * Each class is cut at random into groups of K and every batch takes a group from each of the P classes that have most
 * left. With classes of one size that K divides, each sample occurs once (a few twice when P doesn't divide the number
 * of groups). Otherwise samples repeat to keep batches full and balanced: a class's last group is filled from the
 * same class, and classes that ran out give random groups anew until the largest class is through. A group repeats
 * a sample only where its class has fewer than K.
 *
 * The epoch is `max(ceil(groups / P), groups of the largest class)` batches.
 *
 * @throws EatDmlError ERR_ARGUMENT.
 */
export function balancedBatches(options: BalancedBatchOptions): Int32Array[] {
  const { labels, classes, images, seed, epoch } = parseOptions(balancedBatchOptions, options);
  const members = indicesByClass(toLabels(labels));
  if (classes > members.length) {
    const expected = `at most the ${members.length} classes that the labels hold`;
    throw new EatDmlError('ERR_ARGUMENT', `Expected ${expected} for classes but received ${classes}.`);
  }
  const random = randomStream(seed, 'balanced-batches', epoch);
  const queues = members.map((indices) => groupsOf(indices, images, random));
  const chosen = fullestFirst(
    queues.map((queue) => queue.length),
    classes,
    random,
  );
  const batches = chosen.map((batch) =>
    Int32Array.from(batch.flatMap((c) => queues[c].pop() ?? groupsOf(members[c], images, random)[0])),
  );
  // Large classes were served first; the order in which a model sees the batches must not tell.
  return Array.from(random.permutation(batches.length), (at) => batches[at]);
}

/**
 * One epoch of batches of `size` samples: every sample exactly once, in random order. The last batch is smaller where
 * `size` doesn't divide `count`, unless `last: 'drop'`.
 *
 * @throws EatDmlError ERR_ARGUMENT, also when `drop` would leave no batch.
 */
export function uniformBatches(options: UniformBatchOptions): Int32Array[] {
  const { count, size, seed, epoch, last } = parseOptions(uniformBatchOptions, options);
  const order = randomStream(seed, 'uniform-batches', epoch).permutation(count);
  const length = last === 'keep' ? Math.ceil(count / size) : Math.floor(count / size);
  return Array.from({ length }, (_, i) => order.slice(i * size, (i + 1) * size));
}

/** All of `indices` in random groups of `size`; a short last group is filled from the others, from itself if need be. */
function groupsOf(indices: number[], size: number, random: RandomStream): number[][] {
  const order = Array.from(random.permutation(indices.length), (at) => indices[at]);
  // Past the end, on from the start of the same order: other samples than the group's own while there are any.
  return Array.from({ length: Math.ceil(order.length / size) }, (_, g) =>
    Array.from({ length: size }, (_, i) => order[(g * size + i) % order.length]),
  );
}

/** The classes of each batch: every time the `size` with most groups left, ties at random, until none is left. */
function fullestFirst(groups: number[], size: number, random: RandomStream): number[][] {
  const longest = groups.reduce((most, n) => Math.max(most, n), 0);
  const total = groups.reduce((sum, n) => sum + n, 0);
  const byLeft: number[][] = Array.from({ length: longest + 1 }, () => []);
  groups.forEach((left, c) => {
    byLeft[left].push(c);
  });
  let top = longest;
  return Array.from({ length: Math.max(Math.ceil(total / size), longest) }, () => {
    while (top > 0 && byLeft[top].length === 0) top--;
    const drawn: { c: number; left: number }[] = [];
    for (let left = top; drawn.length < size; left--) {
      while (byLeft[left].length > 0 && drawn.length < size) drawn.push({ c: drawFrom(byLeft[left], random), left });
    }
    for (const { c, left } of drawn) byLeft[Math.max(left - 1, 0)].push(c);
    return drawn.map(({ c }) => c);
  });
}

/** Takes a random element out of `pool`. */
function drawFrom(pool: number[], random: RandomStream): number {
  const at = random.integer(pool.length);
  [pool[at], pool[pool.length - 1]] = [pool[pool.length - 1], pool[at]];
  return pool.pop()!;
}
