import { z } from 'zod';
import type * as tf from '#tf';

/** What checkpoints and reports store of a loss. */
export type LossConfig = { readonly name: string } & Readonly<Record<string, string | number>>;

/**
 * A metric-learning loss over class proxies: embeddings [n, d], labels [n] (rows of the proxies), proxies
 * [classes, d] -> scalar; differentiable in embeddings and proxies.
 */
export interface MetricLoss {
  (embeddings: tf.Tensor2D, labels: tf.Tensor1D, proxies: tf.Tensor2D): tf.Scalar;
  readonly config: LossConfig;
  /** Set where it learns from two images of one class in a batch, and training should make sure of them. */
  readonly overPairs?: true;
}

/** A loss over the pairs of a batch; proxies are neither needed nor, where training has them, moved. */
export interface PairLoss {
  (embeddings: tf.Tensor2D, labels: tf.Tensor1D, proxies?: tf.Tensor2D): tf.Scalar;
  readonly config: LossConfig;
  readonly overPairs: true;
}

/** A loss, as a schema. */
export const lossValue = z.custom<MetricLoss>(
  (value) => typeof value === 'function' && typeof (value as MetricLoss).config?.name === 'string',
  'a loss like proxyAnchor()',
);
