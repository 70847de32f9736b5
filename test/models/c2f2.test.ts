import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { c2f2, type Embedder } from '../../src/models/index.js';
import { toLayersModel } from '../../src/models/tfjs-layers.js';
import { availableBackends } from './backends.js';

const golden = JSON.parse(readFileSync('test/goldens/c2f2/embedding.json', 'utf8'));
const DIMENSION = 6;

/** The formula of test/goldens/c2f2/make.py. */
function filled(embedder: Embedder): Embedder {
  embedder.variables().forEach((variable, v) => {
    const { shape, size } = variable;
    const scale = shape.length > 1 ? 1 / Math.sqrt(size / shape.at(-1)!) : 0.1;
    const values = Float32Array.from({ length: size }, (_, k) => Math.sin(0.37 * k + v) * scale);
    tf.tidy(() => variable.assign(tf.tensor(values, shape)));
  });
  return embedder;
}

const images = () =>
  tf.tensor4d(
    Float32Array.from({ length: 2 * 784 }, (_, k) => 0.5 + 0.5 * Math.sin(0.11 * k)),
    [2, 28, 28, 1],
  );

function closeTo(values: tf.Tensor, expected: number[][], digits: number) {
  const flat = values.dataSync();
  expected.flat().forEach((value, i) => {
    expect(flat[i]).toBeCloseTo(value, digits);
  });
}

describe.each(await availableBackends())('c2f2 on %s', (backend) => {
  test('gives the embedding and the gradient by the images that PyTorch gives, in every pass', async () => {
    await tf.setBackend(backend);
    const embedder = filled(c2f2({ dimension: DIMENSION }).build([28, 28, 1], 1));
    const x = images();
    const weights = tf.tensor2d(
      [1, 2].flatMap((row) => Array.from({ length: DIMENSION }, (_, c) => row * (c + 1))),
      [2, 6],
    );
    const frozen = embedder.apply.frozen?.() ?? embedder;
    for (const apply of [
      (input: tf.Tensor) => embedder.apply(input as tf.Tensor4D),
      (input: tf.Tensor) => embedder.apply(input as tf.Tensor4D, true),
      (input: tf.Tensor) => frozen.apply(input as tf.Tensor4D),
    ]) {
      closeTo(apply(x), golden.embedding, 5);
      const gradient = tf.grad((input: tf.Tensor) => tf.sum(tf.mul(apply(input), weights)))(x);
      const rows = tf.reshape(gradient, [2, 784]);
      const picked = tf.gather(rows, tf.range(0, 784, 97, 'int32'), 1);
      closeTo(picked, golden.gradient, 4);
      closeTo(tf.norm(rows, 2, 1), golden.gradientLength, 4);
    }
    const layers = toLayersModel([embedder]);
    closeTo(layers.predict(x) as tf.Tensor, golden.embedding, 5);
    tf.disposeVariables();
  });
});

test('an empty batch gives no rows, and there are no two sets of batch normalisations', async () => {
  await tf.setBackend('cpu');
  const embedder = c2f2({ dimension: 4 }).build([28, 28, 1], 1);
  expect(embedder.apply(tf.zeros([0, 28, 28, 1])).shape).toEqual([0, 4]);
  expect(c2f2({ dimension: 4 }).split).toBeUndefined();
  expect(c2f2({ dimension: 4 }).withHeads!(2).split).toBeUndefined();
  embedder.dispose();
});

test('is for images of 28 x 28, of any number of channels and heads', () => {
  const spec = c2f2({ dimension: 4 }).withHeads!(3);
  expect(spec.config).toEqual(c2f2({ dimension: 4, heads: 3 }).config);
  expect(spec.weightShapes!([28, 28, 3]).get('fc2/kernel')).toEqual([1024, 12]);
  expect(() => c2f2().build([32, 32, 1], 1)).toThrow(
    /^Expected 28 x 28, which c2f2 is made for, for inputShape but received "?32 x 32"?\.$/,
  );
  expect(() => spec.weightShapes!([32, 32, 1])).toThrow(/28 x 28/);
  for (const shape of [undefined, null, '28', [28], {}]) {
    expect(() => c2f2().build(shape as never, 1)).toThrow(/^Expected .*inputShape/);
  }
  expect(() => c2f2({ dimension: 0 })).toThrow(/dimension/);
});
