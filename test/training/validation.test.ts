import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { loadEnsemble, removeCheckpoint } from '../../src/checkpoints/index.js';
import { scoreEmbeddings } from '../../src/clustering/index.js';
import { classesOf } from '../../src/data/index.js';
import { evaluate } from '../../src/evaluation/index.js';
import { convEmbedder, type Embedder } from '../../src/models/index.js';
import { standard, type TrainedEpoch, type TrainOptions, train } from '../../src/training/index.js';
import { settingsOf } from '../../src/training/options.js';
import { bestOf, isOver } from '../../src/training/validation/best.js';
import { trainingSides } from '../../src/training/validation/held-out.js';
import { QUICKER } from '../evaluation/brief.js';
import { tinyImages } from '../models/tiny-images.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'eat-dml-validation-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const data = tinyImages({ classes: 8, perClass: 6 });
const attack = { epsilon: 0.2, steps: 2, count: 9 };
const options: TrainOptions = {
  data,
  model: convEmbedder({ dimension: 4, width: 2 }),
  ...{ seed: 1, epochs: 4, batch: { size: 12 }, backend: QUICKER },
  validation: { classes: 0.4, attack },
};
const weightsOf = ({ weights }: Embedder) => [...weights.values()].map((weight) => Array.from(weight.dataSync()));

describe('the held-out classes', () => {
  it('are a share of the training side, drawn by the seed, and not learnt from', async () => {
    const { learnt, held } = trainingSides(settingsOf(options));
    const [own, others] = [classesOf(learnt), classesOf(held!)];
    expect([own.length, others.length]).toEqual([5, 3]);
    expect([...own, ...others].sort()).toEqual([...classesOf(data)]);
    const drawn = [1, 2, 3, 4].map((seed) => classesOf(trainingSides(settingsOf({ ...options, seed })).held!).join());
    expect(new Set(drawn).size).toBeGreaterThan(1);
    const seen: number[] = [];
    const method = {
      ...standard(),
      memberData: (labels: Int32Array) => {
        for (const label of labels) seen.push(label);
        return standard().memberData(labels, 1);
      },
    };
    const ensemble = await train({ ...options, method, epochs: 1 });
    expect([...new Set(seen)].sort()).toEqual([...own]);
    expect([...ensemble.classes]).toEqual([...own]);
    // They chose the best epoch: to an evaluation they are seen, as the whole side is.
    await expect(evaluate(ensemble, held!, { suite: 'quick' })).rejects.toThrow(/to be unseen/);
    ensemble.dispose();
  });

  it.each<[TrainOptions['validation'], RegExp]>([
    [{ classes: 1 }, /validation\.classes/],
    [{ every: 0 }, /validation\.every/],
    [{ every: 5 }, /at most the 4 epochs of the run for validation\.every but received 5/],
    [{ metric: 'attackedNmi' }, /validation\.metric .*where no attack is given|one of recallAt1/],
    [{ metric: 'recall' as never }, /validation\.metric/],
    [{ attack: { epsilon: 3 } }, /epsilon/],
    [{ classes: 0.5, data }, /nothing beside data/],
    [{ data: tinyImages({ size: 6 }) }, /\[8,8,1\].*\[6,6,1\]/],
    [{ data: tinyImages({ classes: 4, perClass: 1 }) }, /two images of a class/],
  ])('%j is refused', async (validation, message) => {
    await expect(train({ ...options, validation })).rejects.toThrow(message);
  });
});

test('scores are those of the embeddings, attacked below clean; the moving average is what is scored', async () => {
  const { held } = trainingSides(settingsOf(options));
  for (const ema of [undefined, 0.8]) {
    const before = tf.memory().numTensors;
    const scores: unknown[] = [];
    const onProgress: TrainOptions['onProgress'] = (progress) => progress.scores && scores.push(progress.scores);
    const ensemble = await train({ ...options, ema, onProgress });
    const { validations, best } = ensemble.history;
    expect(validations!.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    expect(scores).toEqual(validations!.map(({ scores }) => scores));
    const clean = await ensemble.embed(held!);
    const { clustering, retrieval } = await scoreEmbeddings(clean, held!.labels, { seed: 1 });
    const last = validations!.at(-1)!.scores;
    expect(last).toMatchObject({
      ...{ recallAt1: retrieval!.recallAt[1], nmi: clustering.nmi, mapAtR: retrieval!.mapAtR },
    });
    expect(last.attackedRecallAt1).toBeLessThan(last.recallAt1!);
    expect(last.attackedMapAtR).toBeLessThan(last.mapAtR!);
    expect(last.attackedNmi).toBeGreaterThanOrEqual(0);
    expect(best).toEqual(bestOf(validations!, { metric: 'recallAt1' }));
    ensemble.dispose();
    expect(tf.memory().numTensors).toBe(before);
  }
});

test('every n epochs, and on other data', async () => {
  const other = tinyImages({ seed: 9 });
  const ensemble = await train({ ...options, validation: { data: other, every: 3 } });
  expect(ensemble.history.validations!.map(({ epoch }) => epoch)).toEqual([3]);
  expect(ensemble.classes.length).toBe(8);
  ensemble.dispose();
});

const at = (epoch: number, nmi: number) => ({ epoch, scores: { nmi } });

test('the best is the first of the highest; patience counts the validations since', () => {
  const scores = [at(2, 0.5), at(4, 0.7), at(6, 0.7), at(8, 0.6)];
  expect(bestOf(scores, { metric: 'nmi' })).toEqual({ epoch: 4, metric: 'nmi', score: 0.7 });
  expect(bestOf([], { metric: 'nmi' })).toBeUndefined();
  const over = (n: number, patience?: number) => isOver(scores.slice(0, n), { metric: 'nmi', patience });
  expect([over(0, 1), over(1, 1), over(2, 1), over(3, 1), over(3, 2), over(4, 2), over(4, 3), over(4)]).toEqual([
    ...[false, false, false, true, false, true, false, false],
  ]);
});

describe('the best checkpoint', () => {
  it('is the model as it was then, beside the latest, and cannot be trained on', async () => {
    const kept: { epoch: number; score: number; weights: number[][] }[] = [];
    const onEpoch = ({ epoch, scores, ensemble }: TrainedEpoch) =>
      void kept.push({ epoch, score: scores!.nmi!, weights: weightsOf(ensemble.members[0]) });
    const run = {
      ...options,
      validation: { classes: 0.4, metric: 'nmi' as const },
      checkpoint: { dir, run: { seed: 1 } },
      onEpoch,
    };
    const last = await train(run);
    const { best } = last.history;
    const highest = Math.max(...kept.map(({ score }) => score));
    expect(best).toEqual({ epoch: kept.find(({ score }) => score === highest)!.epoch, metric: 'nmi', score: highest });
    const [stored, latest] = [await loadEnsemble(join(dir, 'best')), await loadEnsemble(dir)];
    expect(weightsOf(stored.members[0])).toEqual(kept[best!.epoch - 1].weights);
    expect(weightsOf(latest.members[0])).toEqual(kept.at(-1)!.weights);
    expect(stored.trainedOn).toEqual(last.trainedOn);
    expect(readdirSync(dir).sort()).toEqual(['best', 'manifest.json', 'run.json', 'step-8'].sort());
    expect(readdirSync(join(dir, 'best')).filter((name) => /^step/.test(name))).toHaveLength(1);
    expect(JSON.parse(readFileSync(join(dir, 'best', 'run.json'), 'utf8'))).toEqual({ seed: 1 });
    for (const ensemble of [last, stored, latest]) ensemble.dispose();
    const on = train({ ...run, checkpoint: join(dir, 'best'), resume: true });
    await expect(on).rejects.toMatchObject({ code: 'ERR_CHECKPOINT', message: expect.stringMatching(/best epoch/) });
    await removeCheckpoint(dir);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('of another run is not written over', async () => {
    (await train({ ...options, epochs: 1, checkpoint: join(dir, 'best') })).dispose();
    const refused = train({ ...options, checkpoint: dir });
    await expect(refused).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
    expect(existsSync(join(dir, 'manifest.json'))).toBe(false);
  });
});

test('a run that has no patience left ends there, and a run that goes on with more of it goes on', async () => {
  // With a rate of nothing no epoch is better than the first.
  const still = { ...options, learningRate: 0, warmUp: 4, epochs: 9, checkpoint: dir };
  const run = (patience: number | undefined, more: Partial<TrainOptions> = {}) =>
    train({ ...still, validation: { classes: 0.4, metric: 'nmi', patience }, ...more });
  const stopped = await run(2);
  expect(stopped.history).toMatchObject({ epochs: 3, best: { epoch: 1 } });
  stopped.dispose();
  const again = await run(2, { resume: true });
  expect(again.history.epochs).toBe(3);
  again.dispose();
  const on = await run(4, { resume: true });
  expect(on.history.epochs).toBe(5);
  on.dispose();
});

describe('onEpoch', () => {
  it('is waited for, with the model of then', async () => {
    const seen: unknown[] = [];
    let open = 0;
    const ensemble = await train({
      ...options,
      validation: undefined,
      epochs: 2,
      async onEpoch({ epoch, epochs, step, loss, ensemble }) {
        expect(++open).toBe(1);
        const { rows } = await ensemble.embed(data);
        ensemble.dispose();
        await new Promise((resolve) => setTimeout(resolve, 20));
        seen.push([epoch, epochs, step, rows]);
        expect(loss).toBeGreaterThan(0);
        open--;
      },
    });
    expect(seen).toEqual([
      [1, 2, 4, 48],
      [2, 2, 8, 48],
    ]);
    ensemble.dispose();
  });

  it('ends the run by what it throws, with the checkpoint saved', async () => {
    const onEpoch = async ({ epoch }: TrainedEpoch) => {
      if (epoch === 2) throw new Error('enough');
    };
    const before = tf.memory().numTensors;
    const run = { ...options, validation: undefined, checkpoint: { dir, everySteps: 100 } };
    await expect(train({ ...run, onEpoch })).rejects.toThrow('enough');
    expect(tf.memory().numTensors).toBe(before);
    expect(readdirSync(dir).sort()).toEqual(['manifest.json', 'step-8']);
    const [on, whole] = [await train({ ...run, resume: true }), await train({ ...run, checkpoint: undefined })];
    expect(weightsOf(on.members[0])).toEqual(weightsOf(whole.members[0]));
    for (const ensemble of [on, whole]) ensemble.dispose();
  });
});

test('an epoch whose validation an abort left out is told when the run goes on, and its scores with it', async () => {
  const told: number[] = [];
  const scored: number[] = [];
  const stop = new AbortController();
  const perEpoch = Math.floor(trainingSides(settingsOf(options)).learnt.labels.length / 12);
  const run = (more: Partial<TrainOptions>) =>
    train({
      ...{ ...options, epochs: 3, checkpoint: dir },
      onEpoch: ({ epoch, scores }) => void (scores && told.push(epoch)),
      onProgress: ({ step, scores }) => {
        if (scores) scored.push(step);
        else if (step === perEpoch && !more.resume) stop.abort();
      },
      ...more,
    });
  await expect(run({ signal: stop.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  expect([told, scored]).toEqual([[], []]);
  const ensemble = await run({ resume: true });
  expect(told).toEqual([1, 2, 3]);
  expect(scored).toEqual([1, 2, 3].map((epoch) => epoch * perEpoch));
  ensemble.dispose();
});

test('data of one’s own that the epoch was chosen by count as seen, from the checkpoint too', async () => {
  const chosen = tinyImages({ classes: 3, perClass: 4, seed: 99 });
  const ensemble = await train({ ...options, epochs: 1, validation: { data: chosen }, checkpoint: dir });
  const loaded = await loadEnsemble(dir);
  for (const one of [ensemble, loaded]) {
    await expect(evaluate(one, chosen, { suite: 'quick', backend: QUICKER })).rejects.toThrow(/to be unseen/);
    one.dispose();
  }
});
