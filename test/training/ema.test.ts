import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, test } from 'vitest';
import { loadEnsemble } from '../../src/checkpoints/index.js';
import { convEmbedder, type Embedder } from '../../src/models/index.js';
import { averageOf, follow } from '../../src/training/ema.js';
import { type TrainOptions, train } from '../../src/training/index.js';
import { tinyImages } from '../models/tiny-images.js';

const { ema } = JSON.parse(readFileSync(new URL('../goldens/training.json', import.meta.url), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-ema-'));
afterAll(() => rmSync(folder, { recursive: true }));

const model = convEmbedder({ dimension: 4, width: 2 });
const options: TrainOptions = { data: tinyImages(), model, seed: 1, epochs: 2, batch: { size: 12 }, backend: 'cpu' };
const valuesOf = ({ weights }: Embedder) => [...weights.values()].map((weight) => Array.from(weight.dataSync()));

test('every variable follows as PyTorch’s moving average does, running statistics and proxies too', async () => {
  await tf.setBackend('cpu');
  const before = tf.memory().numTensors;
  const embedder = model.build([8, 8, 1], 1);
  const member = { embedder, proxies: tf.tidy(() => tf.variable(tf.ones([3, 4]))) };
  const all = [...embedder.weights.values(), member.proxies];
  const setAll = (value: number) => {
    for (const variable of all) tf.tidy(() => variable.assign(tf.fill(variable.shape, value)));
  };
  setAll(ema.weights[0]);
  const average = averageOf(model, member);
  for (const [i, weight] of ema.weights.slice(1).entries()) {
    setAll(weight);
    follow(average, member, ema.decay);
    for (const variable of [...average.embedder.weights.values(), average.proxies]) {
      for (const value of variable.dataSync()) expect(value).toBeCloseTo(ema.averages[i], 6);
    }
  }
  for (const variable of all) expect(variable.dataSync()[0]).toBe(ema.weights.at(-1));
  for (const { embedder, proxies } of [member, average]) {
    embedder.dispose();
    proxies.dispose();
  }
  expect(tf.memory().numTensors).toBe(before);
});

test('the average is the result, and what the checkpoint holds; the training itself is the same', async () => {
  const before = tf.memory().numTensors;
  const plain = await train(options);
  const averaged = await train({ ...options, ema: 0.9, checkpoint: folder });
  expect(averaged.history.losses).toEqual(plain.history.losses);
  const [result, last] = [averaged, plain].map(({ members }) => valuesOf(members[0]));
  expect(result).not.toEqual(last);
  const loaded = await loadEnsemble(folder);
  expect(valuesOf(loaded.members[0])).toEqual(result);
  for (const ensemble of [plain, averaged, loaded]) ensemble.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test('a run that goes on moves the weights it moved, and averages on', async () => {
  const whole = await train({ ...options, ema: 0.9 });
  const on = await train({ ...options, ema: 0.9, checkpoint: folder, resume: true, epochs: 3 });
  const all = await train({ ...options, ema: 0.9, epochs: 3 });
  expect(valuesOf(on.members[0])).toEqual(valuesOf(all.members[0]));
  expect(on.proxies[0].dataSync()).toEqual(all.proxies[0].dataSync());
  expect(valuesOf(on.members[0])).not.toEqual(valuesOf(whole.members[0]));
  for (const ensemble of [whole, on, all]) ensemble.dispose();
  const other = train({ ...options, ema: 0.8, checkpoint: folder, resume: true, epochs: 4 });
  await expect(other).rejects.toMatchObject({ message: expect.stringMatching(/ema 0.9.*received 0.8/) });
  const none = train({ ...options, checkpoint: folder, resume: true, epochs: 4 });
  await expect(none).rejects.toMatchObject({ message: expect.stringMatching(/ema 0.9.*received nothing/) });
});

test('what does not move keeps its bits, however often it is averaged', async () => {
  await tf.setBackend('cpu');
  const embedder = model.build([8, 8, 1], 7);
  const member = { embedder, proxies: tf.tidy(() => tf.variable(tf.randomUniform([3, 4], -1, 1, 'float32', 2))) };
  const average = averageOf(model, member);
  for (let i = 0; i < 50; i++) follow(average, member, 0.9);
  expect(valuesOf(average.embedder)).toEqual(valuesOf(embedder));
  expect(average.proxies.dataSync()).toEqual(member.proxies.dataSync());
  for (const { embedder, proxies } of [member, average]) {
    embedder.dispose();
    proxies.dispose();
  }
});
