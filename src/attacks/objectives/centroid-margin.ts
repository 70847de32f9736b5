import * as tf from '@tensorflow/tfjs';
import { type Objective, type ObjectiveInputs, plainObjective, requireCentroids } from '../objective.js';
import { classMask } from './class-mask.js';
import { meanRow, squaredDistances } from './squared-distances.js';

/** Larger than any squared distance between unit rows. */
const FAR = 1e6;

/** From the own to the nearest other centroid: |e - c_y|² - min_{c != c_y} |e - c|². */
export const centroidMargin = {
  name: 'centroid-margin' as const,
  joint: false,
  flatAtStart: false,
  leastClasses: 2,
  bind(inputs: ObjectiveInputs) {
    const { labels, centroids } = requireCentroids('centroid-margin', inputs);
    const origin = meanRow(centroids);
    const own = classMask(labels, centroids.shape[0]);
    return (embeddings) => {
      const distances = squaredDistances(embeddings, centroids, origin);
      const toOwn = tf.sum(tf.where(own, distances, tf.zerosLike(distances)), 1);
      const toNearest = tf.min(tf.where(own, tf.fill(distances.shape, FAR), distances), 1);
      return tf.sub(toOwn, toNearest);
    };
  },
} satisfies Objective;

export const centroidMarginPart = plainObjective('from the own to the nearest other class mean', centroidMargin);
