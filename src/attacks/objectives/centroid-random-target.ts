import * as tf from '@tensorflow/tfjs';
import { plainObjective, requireCentroids } from '../objective.js';

/**
 * Each sample to the centroid of a random other class: -|e - c_t|². Neighbours of one class scatter over all others,
 * which clustering cannot undo by renaming clusters (as it can when a whole class moves together).
 */
export const centroidRandomTargetPart = plainObjective(
  'centroid-random-target',
  'each image to the mean of a random other class',
  (name) => ({
    joint: false,
    flatAtStart: false,
    leastClasses: 2,
    bind(inputs) {
      const { labels, centroids } = requireCentroids(name, inputs);
      const others = centroids.shape[0] - 1;
      const targets = labels.map((label) => {
        const drawn = inputs.random.integer(others);
        return drawn < label ? drawn : drawn + 1;
      });
      const goals = tf.gather(centroids, tf.tensor1d(targets, 'int32'));
      return (embeddings) => tf.neg(tf.sum(tf.squaredDifference(embeddings, goals), 1));
    },
  }),
);
