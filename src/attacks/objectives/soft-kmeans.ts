import { z } from 'zod';
import * as tf from '#tf';
import { count, positive } from '../../options.js';
import { objectivePart, requireCentroids } from '../objective.js';
import { classMask } from './class-mask.js';
import { meanRow } from './squared-distances.js';

const options = z.strictObject({
  temperature: positive
    .default(0.1)
    .describe('of the assignments, as a share of the mean squared deviation of the clean embeddings'),
  iterations: count.default(5).describe('steps of k-means that are unrolled'),
});

const TINY = 1e-12;

/**
 * Through the clustering itself: soft k-means from the class means, its iterations unrolled so that centroids move with
 * the attacked embeddings, r_ij = softmax_j(-|e_i - c_j|² / T), c_j = Σ_i r_ij e_i / Σ_i r_ij. The value is minus the
 * mutual information of classes and clusters, -Σ P(y,j) log(P(y,j) / (P(y) P(j))), which no renaming of clusters changes.
 * T is a share of the clean embeddings' mean squared deviation: those of robust models lie so close together that at a fixed T
 * all shares would be alike.
 */
export const softKmeansPart = objectivePart(
  'soft-kmeans',
  'through the clustering itself: lowers the mutual information of classes and clusters',
  options,
  ({ temperature, iterations }, name) => ({
    joint: true,
    flatAtStart: false,
    leastClasses: 2,
    wholeSet: true,
    bind(inputs) {
      const { labels, centroids } = requireCentroids(name, inputs);
      // Of the classes that are there: those of a batch may be few of very many.
      const present = new Map([...new Set(labels)].sort((a, b) => a - b).map((label, i) => [label, i]));
      const own = labels.map((label) => present.get(label)!);
      const share = tf.div<tf.Tensor2D>(tf.cast(classMask(own, present.size), 'float32'), labels.length);
      const ofClass = tf.sum(share, 0, true);
      const origin = meanRow(centroids);
      const first = tf.sub<tf.Tensor2D>(centroids, origin);
      const absolute = tf.mul<tf.Tensor2D>(meanSquaredDeviation(inputs.clean()), temperature);
      return (embeddings) => {
        // Seen from the middle of the classes, where compressed embeddings still differ.
        const rows = tf.sub<tf.Tensor2D>(embeddings, origin);
        let centres = first;
        for (let i = 0; i < iterations; i++) centres = moveCentres(rows, centres, absolute);
        const joint = tf.matMul(share, assignments(rows, centres, absolute), true, false);
        const independent = tf.matMul(ofClass, tf.sum<tf.Tensor2D>(joint, 0, true), true, false);
        const ratio = tf.sub(tf.log(tf.add(joint, TINY)), tf.log(tf.add(independent, TINY)));
        return tf.reshape(tf.neg(tf.sum(tf.mul(joint, ratio))), [1]);
      };
    },
  }),
);

/** r_ij, [n, k]; |e|² is the same for all j. */
function assignments(embeddings: tf.Tensor2D, centres: tf.Tensor2D, temperature: tf.Tensor2D): tf.Tensor2D {
  const squares = tf.reshape(tf.sum(tf.square(centres), 1), [1, -1]);
  const distances = tf.sub(squares, tf.mul(tf.matMul(embeddings, centres, false, true), 2));
  return tf.softmax(tf.neg(tf.div<tf.Tensor2D>(distances, temperature)));
}

function moveCentres(embeddings: tf.Tensor2D, centres: tf.Tensor2D, temperature: tf.Tensor2D): tf.Tensor2D {
  const shares = assignments(embeddings, centres, temperature);
  const sums = tf.matMul(shares, embeddings, true, false);
  return tf.div(sums, tf.maximum(tf.reshape(tf.sum(shares, 0), [-1, 1]), TINY));
}

/** mean |e - mean e|², [1, 1]. */
function meanSquaredDeviation(embeddings: tf.Tensor2D): tf.Tensor2D {
  const apart = tf.sum<tf.Tensor2D>(tf.square(tf.sub(embeddings, meanRow(embeddings))), 1, true);
  return tf.maximum(tf.mean(apart, 0, true), TINY);
}
