import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { planText } from '../../src/cli/progress-line.js';
import { convEmbedder } from '../../src/models/index.js';
import {
  eat,
  type Method,
  type PlanProgress,
  standard,
  type TrainingPlan,
  type TrainOptions,
  train,
} from '../../src/training/index.js';
import { planOf } from '../../src/training/plan.js';
import { QUICKER } from '../evaluation/brief.js';
import { tinyImages } from '../models/tiny-images.js';

const dir = mkdtempSync(join(tmpdir(), 'eat-dml-plan-'));
afterAll(() => rmSync(dir, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

const options: TrainOptions = {
  data: tinyImages(),
  model: convEmbedder({ dimension: 4, width: 2 }),
  method: eat({ members: 2, attack: { epsilon: 0.1, steps: 1 } }),
  ...{ seed: 1, epochs: 3, batch: { size: 12 }, warmUp: 2, ema: 0.5, backend: QUICKER },
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

test('steps of the warm-up count as what they take, and what the first take beside that is left out', async () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const plain = standard();
  const crafted: number[] = [];
  const method: Method = {
    ...plain,
    memberLoss(update) {
      const { step } = update.step;
      crafted.push(step);
      // Four steps an epoch, two epochs of warm-up; the first of all takes a minute more, the second two seconds.
      now += ([60_000, 2000][crafted.length - 1] ?? 0) + (step < 8 ? 1000 : 3000);
      return plain.memberLoss(update);
    },
  };
  const plans: TrainingPlan[] = [];
  const stop = new AbortController();
  const onPlan = (plan: TrainingPlan) => void plans.push(plan);
  const told: PlanProgress[] = [];
  const onPlanStep = (progress: PlanProgress) => void told.push(progress);
  const planned = async (more: Partial<TrainOptions>) => {
    crafted.length = 0;
    (await train({ ...options, method, onPlan, onPlanStep, ...more })).dispose();
  };
  await planned({ epochs: 5 });
  expect(told.map(({ done, total }) => [done, total])).toEqual(Array.from({ length: 8 }, (_, i) => [i + 1, 8]));
  expect([told[0].etaSeconds, told[7].etaSeconds]).toEqual([7 * 61, 0]);
  expect(crafted.slice(0, 8)).toEqual([0, 1, 2, 3, 8, 9, 10, 11]);
  const perStep = (8 * 1 + 12 * 3) / 20;
  expect(plans[0]).toMatchObject({ steps: 20, warmUpImagesPerSecond: 12, imagesPerSecond: 12 / perStep });
  expect(plans[0].hours).toBeCloseTo((8 * 1 + 12 * 3) / 3600, 10);
  expect(planText(plans[0])).toContain(`${(12 / perStep).toFixed(1)} images/s (12.0 in the warm-up), `);
  // All of the run is warm-up, or none.
  await planned({ epochs: 1 });
  expect(crafted.slice(0, 5)).toEqual([0, 1, 2, 3, 0]);
  expect(told.length).toBe(8 + 4);
  expect(plans[1]).toMatchObject({ steps: 4, warmUpImagesPerSecond: 12, imagesPerSecond: 12 });
  await planned({ epochs: 1, warmUp: 0 });
  expect(plans[2].warmUpImagesPerSecond).toBeUndefined();
  // What is left of it, of a run that goes on.
  const onProgress: TrainOptions['onProgress'] = ({ step }) => step === 6 && stop.abort();
  const folder = { epochs: 5, checkpoint: join(dir, 'cut') };
  await expect(planned({ ...folder, onProgress, signal: stop.signal })).rejects.toThrow();
  await planned({ ...folder, resume: true });
  expect(crafted.slice(0, 8)).toEqual([6, 7, 7, 7, 8, 9, 10, 11]);
  expect(plans[4]).toMatchObject({
    steps: 14,
    warmUpImagesPerSecond: 12,
    imagesPerSecond: 12 / ((2 * 1 + 12 * 3) / 14),
  });
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
