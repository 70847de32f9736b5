import { z } from 'zod';
import type * as tf from '#tf';
import { EatDmlError } from '../errors.js';
import { headOf } from '../models/head.js';
import type { Embedder } from '../models/index.js';
import type { ParameterGroup } from './adamw.js';
import type { Settings } from './options.js';

/** What weight decay is for, as a schema. */
export const decay = z.enum(['all', 'kernels']);

type Rates = Pick<Settings, 'learningRate' | 'proxyLearningRate' | 'weightDecay' | 'decay' | 'warmUp'>;

/**
 * The variables of a member as the optimiser moves them: the network's, then the proxies. Where the head moves before the rest it
 * has a group of its own; with decay of kernels alone so have vectors (biases, gamma and beta), which then do not decay.
 */
export function parameterGroups(rates: Rates, embedder: Embedder, proxies: tf.Variable): ParameterGroup[] {
  const { learningRate, proxyLearningRate, weightDecay, decay, warmUp } = rates;
  const all = embedder.variables();
  const head = new Set(warmUp === undefined ? [] : headOf(embedder));
  const parts = [all.filter((variable) => !head.has(variable)), all.filter((variable) => head.has(variable))];
  const network = parts.flatMap((variables): ParameterGroup[] => {
    if (decay !== 'kernels') return [{ variables, learningRate, weightDecay }];
    const of = (vectors: boolean) => variables.filter(({ rank }) => rank <= 1 === vectors);
    return [
      { variables: of(false), learningRate, weightDecay },
      { variables: of(true), learningRate, weightDecay: 0 },
    ];
  });
  const groups = [...network, { variables: [proxies], learningRate: proxyLearningRate, weightDecay }];
  return groups.filter(({ variables }) => variables.length > 0);
}

/** ERR_ARGUMENT where nothing could move in the warm-up: the network has no head, and the loss no proxies. */
export function checkWarmUp({ warmUp, loss }: Pick<Settings, 'warmUp' | 'loss'>, embedder: Embedder): void {
  if (warmUp === undefined) return;
  const head = headOf(embedder);
  if (!loss.overPairs || head.length > 0) return;
  const message = `Expected no warmUp for a network without a head and the loss ${loss.config.name} but received ${warmUp}.`;
  throw new EatDmlError('ERR_ARGUMENT', message, {
    hint: 'In a warm-up head and proxies alone move; here are neither.',
  });
}

/** The variables of a member that move in an epoch (from 0): in those of the warm-up, head and proxies alone. */
export function movingIn(
  epoch: number,
  { warmUp = 0 }: Pick<Settings, 'warmUp'>,
  { embedder, proxies }: { embedder: Embedder; proxies: tf.Variable },
): tf.Variable[] {
  return [...(epoch < warmUp ? headOf(embedder) : embedder.variables()), proxies];
}
