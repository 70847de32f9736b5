import { z } from 'zod';
import { classesOf } from '../data/index.js';
import { partition } from '../data/splits.js';
import { count } from '../options.js';
import { derivedSeed } from '../random.js';

const diversities = z.enum(['leave-one-out', 'm-of-n', 'disjoint', 'none']);
const cuts = z.enum(['sample', 'class'], 'sample or class');

/** How the training set is cut among the members of an ensemble. */
export type Diversity = z.infer<typeof diversities>;

/** What is cut: images of every class, or whole classes, of which a member then never sees some. */
export type DiversityBy = z.infer<typeof cuts>;

/** The options that say how, for a method's schema. */
export const diversityShape = {
  diversity: diversities
    .default('leave-one-out')
    .describe('how the training set is cut among the members; m-of-n takes m and n'),
  by: cuts.default('sample').describe('what is cut: samples or classes'),
  m: count.optional().describe('parts that a member sees, for m-of-n'),
  n: count.optional().describe('parts that the data is cut into, for m-of-n (default as many as members)'),
};

export type DiversityOptions = z.output<z.ZodObject<typeof diversityShape>> & { members: number };

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

function partsOfData(labels: Int32Array, { by }: DiversityOptions, n: number, seed: number): Int32Array[] {
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

/** m-of-n needs an m that fits. */
export function checkDiversity({ value, issues }: z.core.ParsePayload<DiversityOptions>): void {
  const { diversity, members, m, n = members } = value;
  if (diversity !== 'm-of-n' || (m !== undefined && m <= n)) return;
  issues.push({ code: 'custom', path: ['m'], message: `1 to ${n} parts of ${n}`, input: m });
}
