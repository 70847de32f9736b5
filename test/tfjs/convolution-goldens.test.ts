import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { chooseBackend } from '../../src/tfjs/index.js';
import { backends } from './backends.js';
import { difference } from './close.js';

type Nested = number[][][][];
interface Case {
  op: string;
  stride: number;
  x: Nested;
  filter: Nested;
  y: Nested;
  dy: Nested;
  dx: Nested;
  dfilter: Nested;
}

const goldens = JSON.parse(readFileSync(new URL('../goldens/ops.json', import.meta.url), 'utf8')) as { cases: Case[] };
const convolutions = goldens.cases.filter(({ op }) => op.startsWith('conv2d-'));

describe.each(backends)('PyTorch convolutions on %s', (name) => {
  test.each(convolutions)('$op, stride $stride', async ({ op, stride, x, filter, y, dy, dx, dfilter }) => {
    await chooseBackend({ backend: name });
    const before = tf.memory().numTensors;
    const results = tf.tidy(() => {
      const pad = op.slice('conv2d-'.length) as 'same' | 'valid';
      const convolve = (image: tf.Tensor, w: tf.Tensor) =>
        tf.conv2d(image as tf.Tensor4D, w as tf.Tensor4D, stride, pad);
      const inputs = [tf.tensor4d(x), tf.tensor4d(filter)];
      return [convolve(inputs[0], inputs[1]), ...tf.grads(convolve)(inputs, tf.tensor4d(dy))];
    });
    const expected = [y, dx, dfilter].map((values) => values.flat(3));
    results.forEach((t, i) => {
      expect(difference(t.dataSync(), expected[i]), ['y', 'dx', 'dfilter'][i]).toBeLessThanOrEqual(1e-4);
    });
    tf.dispose(results);
    expect(tf.memory().numTensors).toBe(before);
  });
});

test('the golden file has convolutions', () => expect(convolutions.length).toBeGreaterThan(2));
