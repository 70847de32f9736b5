import { EatDmlError, invalid } from '../errors.js';
import { type RandomStream, randomStream } from '../random.js';
import { checkPositive, checkSeed, toLabels } from './dataset.js';
import { indicesByClass } from './splits.js';

export interface BalancedBatchOptions {
  /** The class of every sample. */
  labels: ArrayLike<number>;
  /** P: different classes in a batch; at most as many as there are. */
  classes: number;
  /** K: images of each of them. */
  images: number;
  seed: number;
  /** Batches of another epoch are in another random order. */
  epoch: number;
}

export interface UniformBatchOptions {
  /** Number of samples. */
  count: number;
  size: number;
  seed: number;
  /** Batches of another epoch are in another random order. */
  epoch: number;
  /** What to do with a last batch smaller than `size`: `keep` it (default) or `drop` it. */
  last?: 'keep' | 'drop';
}

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
  const { labels, classes, images, seed, epoch } = options;
  if (!Number.isSafeInteger(labels?.length)) throw invalid('labels', 'an array of integers', labels);
  checkPositive('classes', classes);
  checkPositive('images', images);
  checkSeed(seed);
  checkEpoch(epoch);
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
  const { count, size, seed, epoch, last = 'keep' } = options;
  checkPositive('count', count);
  checkPositive('size', size);
  checkSeed(seed);
  checkEpoch(epoch);
  if (last !== 'keep' && last !== 'drop') throw invalid('last', 'one of keep, drop', last);
  if (last === 'drop' && size > count) throw invalid('size', `at most the ${count} samples when last is drop`, size);
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

function checkEpoch(epoch: unknown): void {
  if (!Number.isSafeInteger(epoch) || (epoch as number) < 0) throw invalid('epoch', 'an integer >= 0', epoch);
}
