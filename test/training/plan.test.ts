import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, test } from 'vitest';
import { convEmbedder } from '../../src/models/index.js';
import { eat, type TrainingPlan, type TrainOptions, train } from '../../src/training/index.js';
import { planOf } from '../../src/training/plan.js';
import { tinyImages } from '../models/tiny-images.js';

const dir = mkdtempSync(join(tmpdir(), 'eat-dml-plan-'));
afterAll(() => rmSync(dir, { recursive: true }));

const options: TrainOptions = {
  data: tinyImages(),
  model: convEmbedder({ dimension: 4, width: 2 }),
  method: eat({ members: 2, attack: { epsilon: 0.1, steps: 1 } }),
  ...{ seed: 1, epochs: 3, batch: { size: 12 }, warmUp: 2, ema: 0.5, backend: 'cpu' },
};

test('a plan is what a step took, times the steps', () => {
  const of = { members: 3, parameters: 1000, proxies: 24, epochs: 5 };
  const step = { seconds: 4, images: 10, standing: 300, bytes: 50_000 };
  expect(planOf(of, 1800, step)).toEqual({
    ...{ ...of, steps: 1800, images: 10, memoryBytes: 50_000 + 4 * 1024, imagesPerSecond: 2.5, hours: 2 },
  });
  // Of a large network on few images the update takes most.
  expect(planOf(of, 1800, { ...step, bytes: 500 }).memoryBytes).toBe(300 + 4 * 4 * 1024);
});

test('is told once before the first step, and the run comes to the same bits', async () => {
  const before = tf.memory().numTensors;
  const told: (TrainingPlan | number)[] = [];
  const onPlan = (plan: TrainingPlan) => void told.push(plan);
  const onProgress: TrainOptions['onProgress'] = ({ step }) => void told.push(step);
  const planned = await train({ ...options, checkpoint: dir, onPlan, onProgress });
  const plain = await train(options);
  const [plan, ...steps] = told;
  const [embedder] = plain.members;
  const parameters = embedder.variables().reduce((sum, { size }) => sum + size, 0);
  expect(plan).toMatchObject({ members: 2, parameters, proxies: 16, epochs: 3, steps: 12, images: 12 });
  expect((plan as TrainingPlan).hours).toBeGreaterThan(0);
  // Two members with moments, averages and proxies, the images, and the features of one.
  expect((plan as TrainingPlan).memoryBytes).toBeGreaterThan(2 * 4 * 4 * parameters);
  expect(steps).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  const { seconds: _, ...history } = plain.history;
  expect(planned.history).toMatchObject(history);
  expect(await planned.embed(options.data)).toEqual(await plain.embed(options.data));
  told.length = 0;
  const over = await train({ ...options, checkpoint: dir, resume: true, onPlan });
  expect(told).toEqual([]);
  const on = await train({ ...options, epochs: 4, checkpoint: dir, resume: true, onPlan });
  expect(told).toMatchObject([{ epochs: 4, steps: 4 }]);
  for (const ensemble of [planned, plain, over, on]) ensemble.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test('what goes wrong in it ends the run as a step would, and leaves nothing', async () => {
  const before = tf.memory().numTensors;
  const onPlan = () => {
    throw new Error('too long');
  };
  await expect(train({ ...options, onPlan })).rejects.toThrow('too long');
  const diverging = train({ ...options, learningRate: 1e30, onPlan: () => {} });
  await expect(diverging).rejects.toMatchObject({ code: 'ERR_DIVERGED' });
  expect(tf.memory().numTensors).toBe(before);
});
