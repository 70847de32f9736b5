import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Source, sourceOf } from '../../src/data/index.js';
import { proxyAnchor } from '../../src/losses/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import type { TrainOptions } from '../../src/training/index.js';
import {
  eat,
  type Method,
  standard,
  type TrainingProgress,
  type TrainingStep,
  train,
} from '../../src/training/index.js';
import { QUICKER } from '../evaluation/brief.js';
import { tinyImages } from '../models/tiny-images.js';

const data = tinyImages();
const options: TrainOptions = {
  data,
  model: convEmbedder({ dimension: 4, width: 2 }),
  seed: 1,
  epochs: 2,
  batch: { size: 12 },
  backend: QUICKER,
};

beforeAll(() => chooseBackend({ backend: QUICKER }));

describe('train', () => {
  it('learns: the loss falls and classes come apart', async () => {
    const ensemble = await train({ ...options, epochs: 12, learningRate: 0.01 });
    const { losses } = ensemble.history;
    expect(losses.length).toBe(12);
    expect(losses[11]).toBeLessThan(0.5 * losses[0]);
    const { data: e, rows, cols } = await ensemble.embed(data);
    const nearest = Array.from({ length: rows }, (_, i) => {
      let [best, at] = [Number.POSITIVE_INFINITY, -1];
      for (let j = 0; j < rows; j++) {
        let d = 0;
        for (let c = 0; c < cols; c++) d += (e[i * cols + c] - e[j * cols + c]) ** 2;
        if (j !== i && d < best) [best, at] = [d, j];
      }
      return at;
    });
    const right = nearest.filter((j, i) => data.labels[j] === data.labels[i]).length;
    expect(right / rows).toBeGreaterThan(0.9);
    ensemble.dispose();
  });

  it('is reproducible, and another with another seed', async () => {
    const weights = async (seed: number) => {
      const ensemble = await train({ ...options, seed });
      return [ensemble.members[0].variables()[0], ensemble.proxies[0]].map((w) => Array.from(w.dataSync()));
    };
    expect(await weights(1)).toEqual(await weights(1));
    expect(await weights(1)).not.toEqual(await weights(2));
  });

  it('holds the number of tensors over steps', async () => {
    const counts: number[] = [];
    const before = tf.memory().numTensors;
    const ensemble = await train({ ...options, epochs: 3, onProgress: () => counts.push(tf.memory().numTensors) });
    expect(new Set(counts).size).toBe(1);
    ensemble.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('reports progress after every step', async () => {
    const seen: TrainingProgress[] = [];
    const ensemble = await train({ ...options, onProgress: (progress) => seen.push(progress) });
    expect(seen.map(({ step, epoch }) => [step, epoch])).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((s) => [s, s >> 2]));
    expect(seen.every(({ steps, epochs, phase }) => steps === 8 && epochs === 2 && phase === 'train')).toBe(true);
    expect(seen.every(({ imagesPerSecond, etaSeconds }) => imagesPerSecond > 0 && etaSeconds >= 0)).toBe(true);
    expect(seen[7].etaSeconds).toBe(0);
    expect(ensemble.history).toMatchObject({ epochs: 2, steps: 8, imagesSeen: 96, gradientEvaluations: 96 });
    expect(Array.from(ensemble.classes)).toEqual([10, 11, 12, 13]);
  });

  it('asks for the views of each batch by the number of its step, and has the next of the epoch begun likewise', async () => {
    const own = sourceOf(data);
    const [read, begun]: string[][] = [[], []];
    const noted = (indices: ArrayLike<number>, draw?: number) => `${draw}: ${Array.from(indices)}`;
    const source: Source = {
      ...own,
      batch: (indices, given) => {
        read.push(noted(indices, given?.draw));
        return own.batch(indices, given);
      },
      prefetch: (indices, given) => void begun.push(noted(indices, given?.draw)),
    };
    const ensemble = await train({ ...options, data: source });
    expect(read.map((batch) => Number.parseInt(batch, 10))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(begun).toEqual(read.filter((_, step) => step % 4 > 0));
    ensemble.dispose();
  });

  it('calls the three hooks as promised', async () => {
    const calls: string[] = [];
    const steps: TrainingStep[] = [];
    const plain = standard({ members: 2 });
    const method: Method = {
      config: { name: 'spy' },
      members: 2,
      memberData(labels) {
        calls.push('data');
        expect(labels).toEqual(data.labels);
        // Member 0 learns from the first half, member 1 from the whole; the last 8 samples from nobody.
        return [Int32Array.from({ length: 20 }, (_, i) => i), Int32Array.from({ length: 40 }, (_, i) => i)];
      },
      craft(step) {
        calls.push('craft');
        steps.push(step);
        return plain.craft(step);
      },
      memberLoss(update) {
        calls.push(`loss ${update.member}`);
        expect(update.images.shape[0]).toBe(update.step.rows[update.member].length);
        const own = update.step.rows[update.member].map((row) => update.step.labels[row]);
        expect(Array.from(update.labels.dataSync())).toEqual(Array.from(own));
        return plain.memberLoss(update);
      },
    };
    const ensemble = await train({ ...options, method, epochs: 1, batch: { size: 10 } });
    expect(calls).toEqual(['data', ...Array.from({ length: 4 }, () => ['craft', 'loss 0', 'loss 1']).flat()]);
    expect(steps.map(({ step }) => step)).toEqual([0, 1, 2, 3]);
    expect(steps.reduce((sum, { rows }) => sum + rows[0].length, 0)).toBe(20);
    expect(steps.reduce((sum, { rows }) => sum + rows[1].length, 0)).toBe(40);
    expect(ensemble.history.imagesSeen).toBe(40);
  });

  it.each<[string, Method]>([
    ['standard', standard({ members: 2 })],
    ...(['shared', 'peers', 'mix', 'none'] as const).map((transfer): [string, Method] => [
      `eat ${transfer}`,
      eat({ members: 2, transfer, alignment: 1, attack: { epsilon: 0.1, steps: 1 } }),
    ]),
  ])('%s skips a member in a step that has none of its images', async (_, plain) => {
    const updates: number[] = [];
    const method: Method = {
      ...plain,
      memberData: () => [Int32Array.of(0), Int32Array.from({ length: 40 }, (_, i) => i)],
      memberLoss(update) {
        updates.push(update.member);
        return plain.memberLoss(update);
      },
    };
    const ensemble = await train({ ...options, method, epochs: 1, batch: { size: 4 } });
    expect(ensemble.history.losses.every(Number.isFinite)).toBe(true);
    expect(updates.filter((member) => member === 0).length).toBe(1);
    expect(updates.filter((member) => member === 1).length).toBe(10);
  });

  it('stops with ERR_DIVERGED, naming the step, and frees everything', async () => {
    const before = tf.memory().numTensors;
    const good = proxyAnchor();
    let calls = 0;
    const broken = ((e, l, p) => (++calls > 3 ? tf.scalar(Number.NaN) : good(e, l, p))) as typeof good;
    const loss = Object.assign(
      (...args: Parameters<typeof good>) => tf.add<tf.Scalar>(good(...args), broken(...args)),
      {
        config: { name: 'broken' },
      },
    );
    const run = train({ ...options, loss });
    await expect(run).rejects.toMatchObject({ code: 'ERR_DIVERGED', message: expect.stringMatching(/NaN in step 3/) });
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each<[string, Partial<TrainOptions>, RegExp]>([
    ['no data', { data: undefined }, /data/],
    ['a model that is none', { model: 'conv' as never }, /model.*conv/],
    ['a method that is none', { method: 'eat' as never }, /method.*eat/],
    ['epochs 0', { epochs: 0 }, /epochs/],
    ['a batch of 0', { batch: { size: 0 } }, /batch/],
    ['more classes than there are', { batch: { classes: 9, images: 2 } }, /classes/],
    ['a learning rate below 0', { learningRate: -1 }, /learningRate/],
    ['a broken seed', { seed: 0.5 }, /seed/],
    ['resume without a folder', { resume: true }, /checkpoint/],
    ['a member without data', { method: { ...standard(), memberData: () => [new Int32Array(0)] } }, /memberData/],
  ])('refuses %s', async (_, wrong, message) => {
    const before = tf.memory().numTensors;
    const expected = { code: 'ERR_ARGUMENT', message: expect.stringMatching(message) };
    await expect(train({ ...options, ...wrong })).rejects.toMatchObject(expected);
    expect(tf.memory().numTensors).toBe(before);
  });
});
