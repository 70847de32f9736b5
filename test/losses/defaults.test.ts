import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import {
  contrastive,
  type MetricLoss,
  multiSimilarity,
  ntXent,
  proxyAnchor,
  tripletMargin,
} from '../../src/losses/index.js';

/** Two of a class 60 degrees apart, one of another class at 90 degrees from the first. */
const cos = Math.cos(Math.PI / 6);
const rows = [
  [1, 0],
  [0.5, cos],
  [0, 1],
];
const labels = [0, 0, 1];
const proxies = [
  [1, 0],
  [0, 1],
];
/** Distances: of the pair 1; to the other class √2 and √(2 - √3). */
const [positive, far, near] = [1, Math.SQRT2, Math.sqrt(2 - Math.sqrt(3))];
const mean = (...values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const softplus = (z: number) => Math.log1p(Math.exp(z));

beforeAll(() => tf.setBackend('cpu'));

it.each<[string, MetricLoss, number]>([
  // Triplets (0, 1, 2) and (1, 0, 2): 1 - √2 + 0.2 is below 0.
  ['triplet-margin: margin 0.2', tripletMargin(), positive - near + 0.2],
  // Positives cost their distance, of the negatives the near one (both ways) what it lacks to 1.
  ['contrastive: margins 0 and 1', contrastive(), positive + (1 - near)],
  [
    'multi-similarity: alpha 2, beta 50, base 0.5',
    multiSimilarity(),
    mean(
      softplus(0) / 2 + softplus(50 * (0 - 0.5)) / 50,
      softplus(0) / 2 + softplus(50 * (cos - 0.5)) / 50,
      Math.log1p(Math.exp(50 * (0 - 0.5)) + Math.exp(50 * (cos - 0.5))) / 50,
    ),
  ],
  ['nt-xent: temperature 0.07', ntXent(), mean(softplus((0 - 0.5) / 0.07), softplus((cos - 0.5) / 0.07))],
  [
    'proxy-anchor: alpha 32, delta 0.1',
    proxyAnchor(),
    (Math.log1p(Math.exp(-32 * 0.9) + Math.exp(-32 * 0.4)) + softplus(-32 * 0.9)) / 2 +
      (softplus(32 * 0.1) + Math.log1p(Math.exp(32 * 0.1) + Math.exp(32 * (cos + 0.1)))) / 2,
  ],
])('%s, as published', (_, loss, expected) => {
  expect(far).toBeGreaterThan(positive + 0.2);
  const value = loss(tf.tensor2d(rows), tf.tensor1d(labels, 'int32'), tf.tensor2d(proxies)).dataSync()[0];
  expect(Math.abs(value / expected - 1)).toBeLessThan(1e-4);
});
