import * as tf from '#tf';
import { plainObjective, requireCentroids } from '../objective.js';

/**
 * Each sample to the centroid of a random other class: -|e - c_t|². Neighbours of one class scatter over all others,
 * which clustering cannot undo by renaming clusters (as it can when a whole class moves together). Of several restarts the one
 * counts that came nearest to its target from the own centroid, |e - c_y|² - |e - c_t|²: the farther a target that is
 * reached, the better. The values themselves would choose the easiest, which is the same for most of a class.
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
      const own = tf.gather(centroids, tf.tensor1d(labels, 'int32'));
      const apart = (embeddings: tf.Tensor2D, from: tf.Tensor) =>
        tf.sum<tf.Tensor1D>(tf.squaredDifference(embeddings, from), 1);
      return Object.assign((embeddings: tf.Tensor2D) => tf.neg(apart(embeddings, goals)) as tf.Tensor1D, {
        across: (embeddings: tf.Tensor2D) => tf.sub<tf.Tensor1D>(apart(embeddings, own), apart(embeddings, goals)),
      });
    },
  }),
);
