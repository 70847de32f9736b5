import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { convEmbedder, Ensemble, resnet18 } from '../../src/models/index.js';
import { toLayersModel } from '../../src/models/tfjs-layers.js';

const shape = [8, 8, 1] as [number, number, number];
const options = { dimension: 4, width: 2 };
const images = () => tf.randomUniform<tf.Rank.R4>([5, ...shape], 0, 1, 'float32', 3);

beforeAll(() => tf.setBackend('cpu'));

const rowsOf = (x: tf.Tensor) => tf.tidy(() => x.arraySync() as number[][]);
const lengthOf = (row: number[]) => Math.hypot(...row);

test('heads stand side by side, each of dimension columns and of the length 1 / sqrt(heads)', () => {
  const spec = convEmbedder({ ...options, heads: 3 });
  expect(spec.config).toEqual({ ...options, heads: 3 });
  expect(convEmbedder(options).withHeads!(3).config).toEqual(spec.config);
  const embedder = spec.build(shape, 1);
  expect([embedder.embedding, embedder.heads]).toEqual([12, 3]);
  const rows = rowsOf(embedder.apply(images()));
  for (const row of rows) {
    expect(lengthOf(row)).toBeCloseTo(1, 5);
    for (const h of [0, 1, 2]) expect(lengthOf(row.slice(4 * h, 4 * h + 4))).toBeCloseTo(1 / Math.sqrt(3), 5);
  }
  const frozen = rowsOf(embedder.apply.frozen!().apply(images()));
  for (const [i, row] of frozen.entries()) for (const [j, x] of row.entries()) expect(x).toBeCloseTo(rows[i][j], 4);
  embedder.dispose();
});

test('more heads from a network with some', () => {
  const six = convEmbedder({ ...options, heads: 2 }).withHeads!(6).build(shape, 1);
  expect([six.embedding, six.heads]).toEqual([24, 6]);
  six.dispose();
});

test('a published network has them, too, but no features alone', () => {
  const embedder = resnet18({ dimension: 3, heads: 2 }).build([32, 32, 3], 1);
  expect([embedder.embedding, embedder.heads]).toEqual([6, 2]);
  embedder.dispose();
  expect(() => resnet18({ head: 'none', heads: 2 })).toThrow(/heads/);
  expect(() => resnet18({ head: 'none' }).withHeads!(2)).toThrow(/linear head/);
});

test('the layers of tfjs scale each head, alone and in an ensemble', () => {
  const embedder = convEmbedder({ ...options, heads: 3 }).build(shape, 1);
  for (const members of [[embedder], [embedder, embedder]]) {
    const expected = rowsOf(new Ensemble(members).apply(images()));
    const got = rowsOf(toLayersModel(members).predict(images()) as tf.Tensor);
    for (const [i, row] of got.entries()) for (const [j, x] of row.entries()) expect(x).toBeCloseTo(expected[i][j], 5);
  }
  embedder.dispose();
});
