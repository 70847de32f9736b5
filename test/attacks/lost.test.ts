import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { objective, pgd, runAttack } from '../../src/attacks/index.js';

beforeAll(() => tf.setBackend('cpu'));

const CLEAN = [0.05, 0.05, 0.5, 0.55, 0.95, 0.95];
/** Class 0 lies at the angle 0, class 1 at a right angle; an image is found by the side of the middle that it is on. */
const gallery = {
  embeddings: tf.tensor2d([1, 0, 0, 1, 1, 0, 0, 1], [4, 2]),
  labels: Int32Array.of(0, 1, 0, 1),
  self: new Int32Array(CLEAN.length).fill(-1),
};

/** Attacks images of one pixel, all of class 0, that embed as an angle of as many quarters of a circle; counts what is embedded. */
function attack(restarts: number, goal = objective('retrieval')) {
  let embedded = 0;
  const model = {
    apply: (x: tf.Tensor4D) => {
      embedded += x.shape[0];
      const angle = tf.mul(tf.reshape(x, [-1]), Math.PI / 2);
      return tf.stack([tf.cos(angle), tf.sin(angle)], 1) as tf.Tensor2D;
    },
  };
  const attacked = tf.tidy(() =>
    runAttack({
      model,
      images: tf.tensor4d(CLEAN, [CLEAN.length, 1, 1, 1]),
      objective: goal,
      settings: pgd({ epsilon: 0.1, steps: 4, restarts }),
      labels: new Int32Array(CLEAN.length),
      gallery,
      seed: 1,
    }),
  );
  const pixels = Array.from(attacked.dataSync());
  attacked.dispose();
  return { pixels, embedded };
}

it('restarts leave alone the images whose search is lost, and go on with the others', () => {
  const [once, thrice] = [attack(1), attack(3)];
  // Four images are on the wrong side after the first restart, or were from the beginning.
  const held = once.pixels.filter((pixel) => pixel <= 0.5).length;
  expect(held).toBe(2);
  const perRestart = once.embedded / CLEAN.length;
  // Two more restarts of what is held, and before each of them one look at all.
  expect(thrice.embedded).toBe(once.embedded + 2 * (held * perRestart + CLEAN.length));
  expect(thrice.pixels.slice(2)).toEqual(once.pixels.slice(2));
  for (const [i, pixel] of thrice.pixels.entries()) expect(pixel).toBeGreaterThanOrEqual(once.pixels[i]);
});

it('an objective that says nothing of what is lost is restarted for all', () => {
  const { lost: _, ...silent } = objective('retrieval');
  const [once, thrice] = [attack(1, silent), attack(3, silent)];
  expect(thrice.embedded).toBe(3 * once.embedded);
});

it('all lost: nothing is left to do', () => {
  const lost = { ...objective('retrieval'), lost: () => (e: tf.Tensor2D) => tf.ones([e.shape[0]]) as tf.Tensor1D };
  const [once, thrice] = [attack(1, lost), attack(3, lost)];
  expect(thrice.pixels).toEqual(once.pixels);
  expect(thrice.embedded).toBe(once.embedded + 2 * CLEAN.length);
});

it('of a joint objective the whole batch is restarted, whatever is lost', () => {
  const joint = { ...objective('retrieval'), joint: true };
  const [once, thrice] = [attack(1, joint), attack(3, joint)];
  expect(thrice.embedded).toBe(3 * once.embedded);
});
