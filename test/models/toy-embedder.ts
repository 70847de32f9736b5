import * as tf from '@tensorflow/tfjs';
import type { Embedder } from '../../src/models/index.js';

/** An embedder of as many pixels as `weights` has rows, x W scaled to unit length: small enough to follow by hand. */
export function toyEmbedder(weights: number[][], onApply: () => void = () => {}): Embedder {
  const w = tf.variable(tf.tensor2d(weights));
  return {
    inputShape: [1, weights.length, 1],
    embedding: weights[0].length,
    apply(images) {
      onApply();
      const rows = tf.matMul(tf.reshape(images, [-1, weights.length]), w as tf.Tensor as tf.Tensor2D);
      return tf.div(rows, tf.norm(rows, 2, 1, true)) as tf.Tensor2D;
    },
    variables: () => [w],
    weights: new Map([['w', w]]),
    dispose: () => w.dispose(),
  };
}

/** x W to unit length, in double precision. */
export function toyEmbedding(weights: number[][], x: number[]): number[] {
  const e = weights[0].map((_, j) => x.reduce((sum, value, i) => sum + value * weights[i][j], 0));
  return e.map((value) => value / Math.hypot(...e));
}
