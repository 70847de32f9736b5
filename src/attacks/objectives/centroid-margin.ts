import * as tf from '@tensorflow/tfjs';
import { type Objective, requireCentroids } from '../objective.js';
import { classMask } from './class-mask.js';

/** Larger than any squared distance between unit rows. */
const FAR = 1e6;

/** From the own to the nearest other centroid: |e - c_y|² - min_{c != c_y} |e - c|². */
export const centroidMargin: Objective = {
  name: 'centroid-margin',
  joint: false,
  flatAtStart: false,
  leastClasses: 2,
  bind(inputs) {
    const { labels, centroids } = requireCentroids('centroid-margin', inputs);
    const squares = tf.sum(tf.square(centroids), 1);
    const own = classMask(labels, centroids.shape[0]);
    return (embeddings) => {
      // |e - c|² without |e|², which both terms share.
      const distances = tf.sub(squares, tf.mul(tf.matMul(embeddings, centroids, false, true), 2));
      const toOwn = tf.sum(tf.where(own, distances, tf.zerosLike(distances)), 1);
      const toNearest = tf.min(tf.where(own, tf.fill(distances.shape, FAR), distances), 1);
      return tf.sub(toOwn, toNearest);
    };
  },
};
