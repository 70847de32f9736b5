import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { mpgd, type Objective, runAttack } from '../../src/attacks/index.js';

beforeAll(() => tf.setBackend('cpu'));

const SLOPES = [3, -1, 0.2, 2];
const CURVES = [4, 2, 1, 8];

/** -Σ curve x² / 2 + slope x of pixels around a half: a bowl whose gradient changes along the way. */
const bowl: Objective = {
  name: 'bowl',
  joint: false,
  flatAtStart: false,
  bind: () => (x) => {
    const away = tf.sub(x, 0.5);
    return tf.sum(tf.sub(tf.mul(away, SLOPES), tf.mul(tf.square(away), tf.div(tf.tensor1d(CURVES), 2))), 1);
  },
};
const model = { apply: (x: tf.Tensor4D) => tf.reshape(x, [-1, 4]) as tf.Tensor2D };
const images = () => tf.fill([1, 2, 2, 1], 0.5) as tf.Tensor4D;

/** The rule once more, on numbers: every iterate and the best of them. */
function ascend(start: number[], epsilon: number, steps: number, stepSize: number, momentum: number) {
  const value = (x: number[]) => x.reduce((sum, a, j) => sum + SLOPES[j] * a - (CURVES[j] * a * a) / 2, 0);
  let [x, v] = [start, start.map(() => 0)];
  let best = x;
  for (let t = 0; t < steps; t++) {
    const g = x.map((a, j) => SLOPES[j] - CURVES[j] * a);
    const size = g.reduce((sum, a) => sum + Math.abs(a), 0) / g.length;
    v = v.map((a, j) => momentum * a + g[j] / size);
    const length = (stepSize * (1 + Math.cos((Math.PI * t) / steps))) / 2;
    x = x.map((a, j) => Math.max(-epsilon, Math.min(epsilon, a + length * Math.sign(v[j]))));
    if (value(x) > value(best)) best = x;
  }
  return best;
}

describe('mpgd', () => {
  it.each([
    [5, 0.1, 0.025, 0.9],
    [12, 0.4, 0.2, 0.9],
    [12, 0.4, 0.2, 0.3],
  ])(
    '%i steps in %f, first step %f, momentum %f: the iterates of its formula',
    (steps, epsilon, stepSize, momentum) => {
      tf.tidy(() => {
        // From the images: the rule always starts beside them otherwise.
        const settings = { ...mpgd({ epsilon, steps, stepSize, momentum }), randomStart: false };
        const moved = runAttack({ model, images: images(), objective: bowl, settings, seed: 1 });
        const expected = ascend([0, 0, 0, 0], epsilon, steps, stepSize, momentum);
        for (const [j, value] of moved.dataSync().entries()) expect(value - 0.5).toBeCloseTo(expected[j], 5);
      });
    },
  );

  it('takes the radius as its first step, and starts at random', () => {
    expect(mpgd({ epsilon: 0.2 })).toMatchObject({
      name: 'mpgd',
      steps: 40,
      stepSize: 0.2,
      momentum: 0.9,
      randomStart: true,
    });
  });

  it('says so where the gradient is not finite', () => {
    const broken: Objective = { ...bowl, name: 'broken', bind: () => (x) => tf.sum(tf.sqrt(tf.sub(x, 0.5)), 1) };
    const settings = { ...mpgd({ epsilon: 0.1, steps: 2 }), randomStart: false };
    expect(() => tf.tidy(() => runAttack({ model, images: images(), objective: broken, settings, seed: 1 }))).toThrow(
      /finite gradient of the objective broken/,
    );
  });
});
