import * as tf from '#tf';
import { type ObjectiveInputs, plainObjective, type Rest, requireCentroids } from '../objective.js';
import { classMask } from './class-mask.js';
import { meanRow } from './squared-distances.js';

/**
 * `joint-pairwise` over the whole evaluated set, of which the batch is a part: every sample apart from all others of its
 * class and together with all other classes, F = Σ_i (mean_{j of its class} |e_i - e_j|² - mean_{j of others} |e_i - e_j|²).
 * F needs only the classes' sizes n_c, sums S_c and sums of squares Q_c, all seen from the middle of the centroids:
 * Σ_{i in c, j in c'} |e_i - e_j|² = n_c' Q_c + n_c Q_c' - 2 S_c . S_c'. Of unit rows Q_c follows from S_c.
 */
export const jointSetPart = plainObjective('joint-set', 'as joint-pairwise, over the whole evaluated set', (name) => ({
  joint: true,
  flatAtStart: false,
  leastClasses: 2,
  wholeSet: true,
  bind(inputs) {
    const { labels, centroids } = requireCentroids(name, inputs);
    const classes = centroids.shape[0];
    const own = tf.cast(classMask(labels, classes), 'float32') as tf.Tensor2D;
    const origin = meanRow(centroids);
    const rest = restFrom(origin, inputs.rest, classes);
    const { within, across, ofSquares } = pairWeights(classSizes(inputs, labels, classes));
    return (embeddings) => {
      const rows = tf.sub<tf.Tensor2D>(embeddings, origin);
      const sums = tf.add<tf.Tensor2D>(rest.sums, tf.matMul(own, rows, true, false));
      const squares = tf.add(rest.squares, tf.matMul(own, tf.sum<tf.Tensor2D>(tf.square(rows), 1, true), true, false));
      const others = tf.sub(tf.sum(sums, 0, true), sums);
      const products = tf.mul(sums, tf.add(tf.mul(within, sums), tf.mul(across, others)));
      return tf.reshape(tf.sub(tf.sum(tf.mul(ofSquares, squares)), tf.mul(2, tf.sum(products))), [1]);
    };
  },
}));

function classSizes({ rest }: ObjectiveInputs, labels: Int32Array, classes: number): Float64Array {
  const sizes = Float64Array.from({ length: classes }, (_, c) => rest?.counts[c] ?? 0);
  for (const label of labels) sizes[label]++;
  return sizes;
}

/** The sums [classes, d] and sums of squares [classes, 1] of the rest, whose rows have unit length, seen from `origin`. */
function restFrom(origin: tf.Tensor2D, rest: Rest | undefined, classes: number) {
  if (!rest) return { sums: tf.zeros([classes, origin.shape[1]]), squares: tf.zeros([classes, 1]) };
  const counts = tf.tensor2d(Float32Array.from(rest.counts), [classes, 1]);
  const along = tf.sum(tf.mul(rest.sums, origin), 1, true);
  const squares = tf.sub(tf.mul(counts, tf.add(1, tf.sum(tf.square(origin)))), tf.mul(2, along));
  return { sums: tf.sub(rest.sums, tf.mul(counts, origin)), squares };
}

/**
 * Weights of the pairs whose first sample is of a class, [classes, 1]: of those within it, of those across to any other, and of its
 * sum of squares. A table of all pairs of classes would have half a gigabyte for 11,316 classes.
 */
function pairWeights(sizes: Float64Array) {
  const all = sizes.reduce((a, b) => a + b, 0);
  const inverse = (size: number, pairs: number) => (pairs === 0 || size === 0 ? 0 : 1 / pairs);
  const within = sizes.map((size) => inverse(size, size - 1));
  const across = sizes.map((size) => inverse(size, size - all));
  const total = across.reduce((sum, weight, c) => sum + weight * sizes[c], 0);
  const ofSquares = sizes.map((size, c) => 2 * within[c] * size + across[c] * (all - 2 * size) + total);
  const column = (weights: Float64Array) => tf.tensor2d(Float32Array.from(weights), [weights.length, 1]);
  return { within: column(within), across: column(across), ofSquares: column(ofSquares) };
}
