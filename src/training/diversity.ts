import { classesOf, partition } from '../data/index.js';
import { invalid } from '../errors.js';
import { derivedSeed } from '../random.js';

/** How the training set is cut among the members of an ensemble. */
export type Diversity = 'leave-one-out' | 'm-of-n' | 'disjoint' | 'none';

/** What is cut: images of every class, or whole classes, of which a member then never sees some. */
export type DiversityBy = 'sample' | 'class';

export interface DiversityOptions {
  diversity: Diversity;
  /** Default `sample`. */
  by?: DiversityBy;
  members: number;
  /** m: parts a member sees, for `m-of-n`. */
  m?: number;
  /** n: parts the data is cut into, for `m-of-n`. */
  n?: number;
}

/** Every member sees every sample. */
export function everySample(count: number, members: number): Int32Array[] {
  return Array.from({ length: members }, () => Int32Array.from({ length: count }, (_, i) => i));
}

/**
 * The samples of each member, ascending, by a random cut of the samples (or of the classes): `leave-one-out` all parts
 * but one of as many parts as members; `disjoint` one part each; `m-of-n` m of n parts, neighbours in a ring, starts
 * spread evenly.
 */
export function memberSamples(labels: Int32Array, options: DiversityOptions, seed: number): Int32Array[] {
  const { diversity, members } = options;
  if (diversity === 'none' || members === 1) return everySample(labels.length, members);
  const { m, n } = partsOf(options);
  const parts = partsOfData(labels, options, n, derivedSeed(seed, 'member-data'));
  return Array.from({ length: members }, (_, member) => {
    const first = Math.floor((member * n) / members);
    const seen = Array.from({ length: m }, (_, i) => parts[(first + i) % n]);
    return Int32Array.from(seen.flatMap((part) => Array.from(part))).sort();
  });
}

function partsOfData(labels: Int32Array, { by = 'sample' }: DiversityOptions, n: number, seed: number): Int32Array[] {
  if (by === 'sample') return partition(labels.length, n, seed);
  const classes = classesOf({ labels });
  return partition(classes.length, n, seed).map((part) => {
    const own = new Set(Array.from(part, (at) => classes[at]));
    return Int32Array.from(labels.keys()).filter((i) => own.has(labels[i]));
  });
}

function partsOf({ diversity, members, m, n = members }: DiversityOptions): { m: number; n: number } {
  if (diversity === 'leave-one-out') return { m: members - 1, n: members };
  if (diversity === 'disjoint') return { m: 1, n: members };
  return { m: m!, n };
}

/** Throws unless the options fit each other. */
export function checkDiversity({ diversity, by = 'sample', members, m, n = members }: DiversityOptions): void {
  if (by !== 'sample' && by !== 'class') throw invalid('by', 'sample or class', by);
  const known = ['leave-one-out', 'm-of-n', 'disjoint', 'none'];
  if (!known.includes(diversity)) throw invalid('diversity', `one of ${known.join(', ')}`, diversity);
  if (diversity !== 'm-of-n') return;
  if (!Number.isSafeInteger(n) || n < 1) throw invalid('n', 'a positive number of parts', n);
  if (!Number.isSafeInteger(m) || m! < 1 || m! > n) throw invalid('m', `1 to ${n} parts of ${n}`, m);
}
