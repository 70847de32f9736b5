import * as tf from '@tensorflow/tfjs';
import { type Objective, type ObjectiveInputs, requireCentroids } from '../objective.js';
import { classMask } from './class-mask.js';

/**
 * `joint-pairwise` over the whole evaluated set, of which the batch is a part: every sample apart from all others of its
 * class and together with all other classes, F = Σ_i (mean_{j of its class} |e_i - e_j|² - mean_{j of others} |e_i - e_j|²).
 * Between unit rows F needs only the classes' sums S_c and sizes n_c:
 * Σ_{i,j in c} |e_i - e_j|² = 2 n_c² - 2 |S_c|², Σ_{i in c, j in c'} |e_i - e_j|² = 2 n_c n_c' - 2 S_c . S_c'.
 */
export const jointSet: Objective = {
  name: 'joint-set',
  joint: true,
  flatAtStart: false,
  leastClasses: 2,
  wholeSet: true,
  bind(inputs) {
    const { labels, centroids } = requireCentroids('joint-set', inputs);
    const classes = centroids.shape[0];
    const own = tf.cast(classMask(labels, classes), 'float32') as tf.Tensor2D;
    const rest = inputs.rest?.sums ?? tf.zerosLike(centroids);
    const { weights, constant } = pairWeights(classSizes(inputs, labels, classes));
    return (embeddings) => {
      const sums = tf.add<tf.Tensor2D>(rest, tf.matMul(own, embeddings, true, false));
      const products = tf.matMul(sums, sums, false, true);
      return tf.reshape(tf.sub(constant, tf.mul(2, tf.sum(tf.mul(weights, products)))), [1]);
    };
  },
};

function classSizes({ rest }: ObjectiveInputs, labels: Int32Array, classes: number): Float64Array {
  const sizes = Float64Array.from({ length: classes }, (_, c) => rest?.counts[c] ?? 0);
  for (const label of labels) sizes[label]++;
  return sizes;
}

/** Weight of each pair of classes, [classes, classes], and Σ weight 2 n_c n_c', which no attack moves. */
function pairWeights(sizes: Float64Array): { weights: tf.Tensor2D; constant: number } {
  const k = sizes.length;
  const all = sizes.reduce((a, b) => a + b, 0);
  const weights = new Float32Array(k * k);
  let constant = 0;
  for (let c = 0; c < k; c++) {
    for (let d = 0; d < k; d++) {
      const pairs = c === d ? sizes[c] - 1 : sizes[c] - all;
      const weight = pairs === 0 || sizes[c] === 0 ? 0 : 1 / pairs;
      weights[c * k + d] = weight;
      constant += weight * 2 * sizes[c] * sizes[d];
    }
  }
  return { weights: tf.tensor2d(weights, [k, k]), constant };
}
