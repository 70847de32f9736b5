import { z } from 'zod';
import type * as tf from '#tf';
import { EatDmlError } from '../errors.js';
import type { Embedder } from './embedder.js';
import type { Ensemble } from './ensemble.js';
import type { VariableSpec } from './survey.js';

/**
 * One of the two sets of batch-normalisation variables (scale, offset, running statistics) of a network with
 * `batchNorm: 'split'` (auxiliary batch normalisation: Xie et al., "Adversarial examples improve image recognition", CVPR 2020);
 * all else of the network is one.
 */
export type NormSet = z.infer<typeof normSet>;

/** {@link NormSet}, as a schema. */
export const normSet = z.enum(['clean', 'adversarial']);

/** `batchNorm` of a network and of a method, as a schema. */
export const batchNorm = z.enum(['shared', 'split']);

const OF_NORM = /\/(gamma|beta|moving_mean|moving_variance)$/;

/** What a network's is. */
export const BATCH_NORM =
  'split: scale, offset and running statistics of their own for adversarial images, as methods with that option train them (default shared)';

/** bn1/gamma of the adversarial set. */
const secondName = (name: string) => name.replace(OF_NORM, '/adversarial_$1');

/** A network's variables with a second set of those of its normalisations behind them. */
export function withSecondSet(variables: readonly VariableSpec[]): VariableSpec[] {
  const second = variables.filter(({ name }) => OF_NORM.test(name));
  return [...variables, ...second.map((spec) => ({ ...spec, name: secondName(spec.name) }))];
}

/** The name in the first set of a variable of the second. */
export const firstName = (name: string): string => name.replace('/adversarial_', '/');

/** The variables of a network of two sets as its layers call them, the normalisations' those of `set`. */
export function variablesBy(weights: Embedder['weights'], set: NormSet): ReadonlyMap<string, tf.Variable> {
  const first = [...weights].filter(([name]) => firstName(name) === name);
  if (set === 'clean') return new Map(first);
  return new Map(first.map(([name, variable]) => [name, weights.get(secondName(name)) ?? variable]));
}

/** What an embedder is to those who look at it and not train it: of two sets, that of the adversarial ones. */
export function evaluated(embedder: Embedder): Embedder {
  return embedder.by?.('adversarial') ?? embedder;
}

/** The members as they work by a set, which stay the ensemble's. ERR_ARGUMENT where no member has two. */
export function membersBy({ members }: Ensemble, set: NormSet): Embedder[] {
  if (members.some((member) => member.by)) return members.map((member) => member.by?.(set) ?? member);
  throw new EatDmlError(
    'ERR_ARGUMENT',
    `Expected no batchNorm for an ensemble whose members have one set of batch normalisations but received ${set}.`,
  );
}
