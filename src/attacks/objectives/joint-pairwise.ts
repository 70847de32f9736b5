import * as tf from '#tf';
import { constant } from '../../tfjs/index.js';
import { plainObjective, requireLabels } from '../objective.js';
import { meanRow, squaredDistances } from './squared-distances.js';

/**
 * Batch-wide: same class apart, different classes together. The value of sample i is
 * mean_{j of its class} |e_i - e_j|² - mean_{j of others} |e_i - e_j|², both ends moving; a missing side counts 0.
 */
export const jointPairwisePart = plainObjective(
  'joint-pairwise',
  'batch-wide: same class apart, different classes together',
  (name) => ({
    joint: true,
    flatAtStart: false,
    bind(inputs) {
      const weights = pairWeights(requireLabels(name, inputs));
      return (embeddings) => {
        const distances = squaredDistances(embeddings, embeddings, constant(meanRow(embeddings)));
        return tf.sum(tf.mul(distances, weights), 1);
      };
    },
  }),
);

/** Row i: 1 / (others of its class) at those, -1 / (samples of other classes) at those, 0 at i itself. */
function pairWeights(labels: Int32Array): tf.Tensor2D {
  const n = labels.length;
  const sizes = new Map<number, number>();
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  const weights = new Float32Array(n * n);
  for (let i = 0; i < n; i++) {
    const size = sizes.get(labels[i])!;
    for (let j = 0; j < n; j++) {
      if (j !== i) weights[i * n + j] = labels[j] === labels[i] ? 1 / (size - 1) : -1 / (n - size);
    }
  }
  return tf.tensor2d(weights, [n, n]);
}
