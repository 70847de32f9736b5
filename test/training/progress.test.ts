import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { convEmbedder } from '../../src/models/index.js';
import { type Method, standard, type TrainingProgress, type TrainOptions, train } from '../../src/training/index.js';
import { Pace } from '../../src/training/progress.js';
import { tinyImages } from '../models/tiny-images.js';

let now: number;

beforeEach(() => {
  now = 10_000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});

afterEach(() => vi.restoreAllMocks());

it('the first unit, which compiles, is left out of the rate once others follow', () => {
  const pace = new Pace();
  now += 8000;
  // Nothing else is known yet: one unit took eight seconds.
  expect(pace.after(1, 9)).toEqual({ rate: 1 / 8, seconds: 72 });
  now += 1000;
  expect(pace.after(2, 8)).toEqual({ rate: 1, seconds: 8 });
  now += 3000;
  // Two units since the first in four seconds.
  expect(pace.after(3, 7)).toEqual({ rate: 0.5, seconds: 14 });
});

const plain = standard();
/** Every step takes two seconds. */
const method: Method = {
  ...plain,
  memberLoss(update) {
    now += 2000;
    return plain.memberLoss(update);
  },
};

it('images per second are those of steps; what lies between epochs is in the time that is left', async () => {
  const told: TrainingProgress[] = [];
  const ensemble = await train({
    ...{ method, data: tinyImages({ perClass: 4 }), model: convEmbedder({ dimension: 2, width: 1 }) },
    ...{ epochs: 3, batch: { size: 4 }, backend: 'cpu' },
    onProgress: (progress) => void told.push(progress),
    // As a validation and a save would.
    onEpoch: () => {
      now += 60_000;
    },
  });
  ensemble.dispose();
  expect(told.map(({ imagesPerSecond }) => imagesPerSecond)).toEqual(told.map(() => 2));
  // Seven steps since the first in 14 seconds and a minute.
  expect(told[7]).toMatchObject({ step: 8, steps: 12 });
  expect(told[7].etaSeconds).toBeCloseTo((4 * (14 + 60)) / 7, 9);
});

it('a run that goes on after a pause counts its steps on, and its rate anew', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'eat-dml-progress-'));
  const options: TrainOptions = {
    method,
    data: tinyImages({ perClass: 4 }),
    model: convEmbedder({ dimension: 2, width: 1 }),
    ...{ epochs: 2, batch: { size: 4 }, backend: 'cpu', checkpoint: dir },
  };
  const pause = new AbortController();
  const first = train({ ...options, signal: pause.signal, onProgress: ({ step }) => step === 5 && pause.abort() });
  await expect(first).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  // A day later: nothing of it, nor the five steps before, is in the rate.
  now += 86_400_000;
  const told: TrainingProgress[] = [];
  const onProgress = (progress: TrainingProgress) => void told.push(progress);
  (await train({ ...options, resume: true, onProgress })).dispose();
  await rm(dir, { recursive: true });
  expect(told.map(({ step, steps }) => [step, steps])).toEqual([
    [6, 8],
    [7, 8],
    [8, 8],
  ]);
  // A step of four images every two seconds, from the first of them on.
  expect(told.map(({ imagesPerSecond }) => imagesPerSecond)).toEqual([2, 2, 2]);
  expect(told.map(({ etaSeconds }) => etaSeconds)).toEqual([4, 2, 0]);
});
