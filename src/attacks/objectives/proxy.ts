import { z } from 'zod';
import * as tf from '#tf';
import { positive } from '../../options.js';
import { objectivePart, requireCentroids } from '../objective.js';
import { classMask } from './class-mask.js';

const options = z.strictObject({
  alpha: positive.default(32).describe('sharpness'),
  delta: z.number().default(0.1).describe('margin on the cosine similarity'),
});

/**
 * Up the metric loss, with the class means as pseudo-proxies: Proxy-Anchor of a batch of one sample,
 * log(1 + e^{-alpha (s(x, p_y) - delta)}) + (1/|P|) Σ_{p != p_y} log(1 + e^{alpha (s(x, p) + delta)}).
 */
export const proxyPart = objectivePart(
  'proxy',
  'up Proxy-Anchor, with the class means as proxies',
  options,
  ({ alpha, delta }, name) => ({
    joint: false,
    flatAtStart: false,
    leastClasses: 2,
    bind(inputs) {
      const { labels, centroids } = requireCentroids(name, inputs);
      const classes = centroids.shape[0];
      const length = tf.sqrt(tf.maximum(tf.sum(tf.square(centroids), 1, true), 1e-24));
      const proxies = tf.div<tf.Tensor2D>(centroids, length);
      const own = classMask(labels, classes);
      const weights = tf.where(own, 1, 1 / classes);
      const slopes = tf.where(own, -alpha, alpha);
      return (embeddings) => {
        // alpha (s + delta) for the others, -alpha (s - delta) for the own: the margin has one sign in both.
        const similarity = tf.matMul(embeddings, proxies, false, true);
        const z = tf.add(tf.mul(similarity, slopes), alpha * delta);
        return tf.sum(tf.mul(tf.softplus(z), weights), 1);
      };
    },
  }),
);
