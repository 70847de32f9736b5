import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { objective, pgd, runAttack } from '../../src/attacks/index.js';

beforeAll(() => tf.setBackend('cpu'));

/** Embeds an image as its two pixels. */
const model = { apply: (x: tf.Tensor4D) => tf.reshape(x, [-1, 2]) as tf.Tensor2D };
const COUNT = 12;
const attack = (restarts: number) =>
  tf
    .tidy(() => {
      const settings = pgd({ epsilon: 0.3, steps: 40, stepSize: 0.02, restarts, randomStart: false });
      const images = tf.fill([COUNT, 1, 2, 1], 0.2) as tf.Tensor4D;
      // One target lies beside the images; the other is farther than they may go, and yet farther from their own class.
      const centroids = tf.tensor2d([0.2, 0.2, 0.2, 0.3, 0.6, 0.2], [3, 2]);
      const labels = new Int32Array(COUNT);
      return runAttack({
        model,
        images,
        objective: objective('centroid-random-target'),
        settings,
        labels,
        centroids,
        seed: 4,
      });
    })
    .arraySync() as number[][][][];

it('restarts of random targets keep the hardest that was reached, not the easiest', () => {
  const far = (attacked: number[][][][]) => attacked.filter(([[[x]]]) => x > 0.4).length;
  const once = far(attack(1));
  expect(once).toBeGreaterThan(0);
  expect(once).toBeLessThan(COUNT);
  // With twelve draws each image has had both.
  expect(far(attack(12))).toBe(COUNT);
});
