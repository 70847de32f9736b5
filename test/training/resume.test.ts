import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadEnsemble } from '../../src/checkpoints/index.js';
import { convEmbedder } from '../../src/models/index.js';
import type { BackendName } from '../../src/tfjs/index.js';
import {
  eat,
  eatHeads,
  type Method,
  standard,
  type TrainedEnsemble,
  type TrainOptions,
  train,
} from '../../src/training/index.js';
import { QUICKER } from '../evaluation/brief.js';
import { fewOf, LONG } from '../long.js';
import { availableBackends } from '../models/backends.js';
import { tinyImages } from '../models/tiny-images.js';

const backends = await availableBackends();
let dir: string;
let options: TrainOptions;

/** The method of all runs here, but for its radius: three members in the long form, two otherwise. */
const eatAt = (epsilon: number) =>
  eat({ attack: { epsilon, steps: 2 }, transfer: 'mix', ...(LONG ? {} : { members: 2 }) });

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'eat-dml-test-'));
  options = {
    data: tinyImages(),
    model: convEmbedder({ dimension: 4, width: 2 }),
    method: eatAt(0.1),
    seed: 1,
    epochs: 3,
    batch: { classes: 4, images: 3 },
    backend: QUICKER,
  };
});

afterEach(() => rm(dir, { recursive: true, force: true }));

/** Every number that training leaves behind. */
function stateOf(ensemble: TrainedEnsemble) {
  const { seconds, ...history } = ensemble.history;
  expect(seconds).toBeGreaterThan(0);
  const weights = ensemble.members.map(({ weights }) => [...weights.values()].map((w) => Array.from(w.dataSync())));
  const state = { history, weights, proxies: ensemble.proxies.map((p) => Array.from(p.dataSync())) };
  ensemble.dispose();
  return state;
}

let known: ReturnType<typeof stateOf> | undefined;

/** What the run of `options` that nothing stops leaves behind: made once, as all of them are to equal it. */
async function uninterrupted(): Promise<ReturnType<typeof stateOf>> {
  known ??= stateOf(await train(options));
  return known;
}

let short: string | undefined;
afterAll(() => short && rm(short, { recursive: true }));

/** Leaves in `dir` what a run of one epoch does: made once, and copied. */
async function ofOneEpoch(): Promise<void> {
  if (short === undefined) {
    short = await mkdtemp(join(tmpdir(), 'eat-dml-test-'));
    (await train({ ...options, epochs: 1, checkpoint: short })).dispose();
  }
  await cp(short, dir, { recursive: true });
}

/** Aborts after `step` steps. */
function interruptAfter(step: number): Pick<TrainOptions, 'signal' | 'onProgress'> {
  const controller = new AbortController();
  return { signal: controller.signal, onProgress: (progress) => progress.step === step && controller.abort() };
}

describe('resume', () => {
  it('keeps what a method leaves for the next step', async () => {
    const seen: unknown[] = [];
    const plain = standard();
    const method: Method = {
      ...plain,
      craft(step) {
        seen.push([...step.memory!]);
        return plain.craft(step);
      },
      memberLoss(update) {
        update.step.memory![0] = update.step.step;
        return plain.memberLoss(update);
      },
    };
    const mine = { ...options, method, checkpoint: dir };
    await expect(train({ ...mine, ...interruptAfter(2) })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    (await train({ ...mine, epochs: 1, resume: true })).dispose();
    expect(seen).toEqual([[], [0], [1], [2]]);
  });

  it.each(fewOf([[[2, 3, 9]], [[1]], [[5]], [[4]], [[12]]], 2))(
    'after interruptions at steps %j equals an uninterrupted run',
    async (steps) => {
      const whole = await uninterrupted();
      const before = tf.memory().numTensors;
      const checkpoint = dir;
      for (const [i, step] of steps.entries()) {
        const run = train({ ...options, checkpoint, resume: i > 0, ...interruptAfter(step) });
        if (step < 12) await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED' });
        else (await run).dispose();
      }
      expect(stateOf(await train({ ...options, checkpoint, resume: true }))).toEqual(whole);
      expect(tf.memory().numTensors).toBe(before);
      expect((await readdir(dir)).sort()).toEqual(['manifest.json', 'step-12']);
    },
  );

  it.each(backends)('is bit for bit on %s', async (backend) => {
    const small = { ...options, backend: backend as BackendName, epochs: 1 };
    const whole = stateOf(await train(small));
    const run = train({ ...small, checkpoint: dir, ...interruptAfter(3) });
    await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(stateOf(await train({ ...small, checkpoint: dir, resume: true }))).toEqual(whole);
  });

  it('equals an uninterrupted run with heads, which come back as they are', async () => {
    const mine = { ...options, method: eatHeads({ attack: { epsilon: 0.1, steps: 2 } }) };
    const whole = stateOf(await train(mine));
    const run = train({ ...mine, checkpoint: dir, ...interruptAfter(5) });
    await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(stateOf(await train({ ...mine, checkpoint: dir, resume: true }))).toEqual(whole);
    const loaded = await loadEnsemble(dir);
    expect(loaded.members.map(({ heads, embedding }) => [heads, embedding])).toEqual([[3, 12]]);
    loaded.dispose();
  });

  it('trains on when epochs grow', async () => {
    const whole = await uninterrupted();
    await ofOneEpoch();
    expect(stateOf(await train({ ...options, checkpoint: dir, resume: true }))).toEqual(whole);
  });

  it('goes on from the last save of a run that was killed', async () => {
    const whole = await uninterrupted();
    const killed = train({
      ...options,
      checkpoint: { dir, everySteps: 2 },
      onProgress({ step }) {
        if (step === 7) throw new Error('killed');
      },
    });
    await expect(killed).rejects.toThrow('killed');
    expect((await readdir(dir)).sort()).toEqual(['manifest.json', 'step-6']);
    expect(stateOf(await train({ ...options, checkpoint: dir, resume: true }))).toEqual(whole);
  });

  it('aborted before the first step writes a checkpoint too', async () => {
    const run = train({ ...options, checkpoint: dir, signal: AbortSignal.abort() });
    await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(stateOf(await train({ ...options, checkpoint: dir, resume: true }))).toEqual(await uninterrupted());
  });

  it.each<[string, Partial<TrainOptions>, RegExp]>([
    ['another seed', { seed: 2 }, /seed 1.*received 2/],
    ['another method', { method: standard() }, /method .*eat.*standard/],
    [
      'other data',
      { data: tinyImages({ seed: 8 }) },
      /data that .* on, (\d+) images, but received \1 images of which \1 are others\.$/,
    ],
    ['fewer images', { data: tinyImages({ perClass: 5 }) }, /data that .* on, \d+ images, but received \d+ images/],
    [
      'another size',
      { data: tinyImages({ size: 10 }) },
      /on, images of 8 x 8 pixels.*received images of 10 x 10 pixels/,
    ],
    ['another radius', { method: eatAt(8 / 255) }, /method\.attack\.epsilon 0\.1,.*received 8\/255\.$/],
    ['another rate', { learningRate: 0.5 }, /learningRate/],
    ['another model', { model: convEmbedder({ dimension: 8, width: 2 }) }, /model/],
  ])('refuses %s', async (_, change, message) => {
    await ofOneEpoch();
    const before = tf.memory().numTensors;
    const resumed = train({ ...options, ...change, checkpoint: dir, resume: true });
    await expect(resumed).rejects.toMatchObject({ code: 'ERR_CHECKPOINT', message: expect.stringMatching(message) });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses an empty folder, and a new run over an old checkpoint', async () => {
    const code = { code: 'ERR_CHECKPOINT' };
    await expect(train({ ...options, checkpoint: dir, resume: true })).rejects.toMatchObject(code);
    await ofOneEpoch();
    await expect(train({ ...options, checkpoint: dir })).rejects.toMatchObject(code);
  });
});
