import type * as tf from '@tensorflow/tfjs';

/**
 * A metric-learning loss over class proxies: embeddings [n, d], labels [n] (rows of the proxies), proxies
 * [classes, d] -> scalar; differentiable in embeddings and proxies. `config` is what checkpoints and reports store.
 */
export interface MetricLoss {
  (embeddings: tf.Tensor2D, labels: tf.Tensor1D, proxies: tf.Tensor2D): tf.Scalar;
  readonly config: { readonly name: string } & Readonly<Record<string, string | number>>;
}
