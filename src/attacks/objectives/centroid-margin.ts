import * as tf from '#tf';
import { plainObjective, requireCentroids } from '../objective.js';
import { classMask } from './class-mask.js';
import { meanRow, squaredDistances } from './squared-distances.js';

/** Larger than any squared distance between unit rows. */
const FAR = 1e6;

/** From the own to the nearest other centroid: |e - c_y|² - min_{c != c_y} |e - c|². */
export const centroidMarginPart = plainObjective(
  'centroid-margin',
  'from the own to the nearest other class mean',
  (name) => ({
    joint: false,
    flatAtStart: false,
    leastClasses: 2,
    bind(inputs) {
      const { labels, centroids } = requireCentroids(name, inputs);
      const origin = meanRow(centroids);
      const own = classMask(labels, centroids.shape[0]);
      return (embeddings) => {
        const distances = squaredDistances(embeddings, centroids, origin);
        const toOwn = tf.sum(tf.where(own, distances, tf.zerosLike(distances)), 1);
        const toNearest = tf.min(tf.where(own, tf.fill(distances.shape, FAR), distances), 1);
        return tf.sub(toOwn, toNearest);
      };
    },
  }),
);
