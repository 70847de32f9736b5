import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objective, pgd } from '../../src/attacks/index.js';
import { type EvaluationProgress, evaluate, evaluateRanking } from '../../src/evaluation/index.js';
import { spreadOf } from '../../src/evaluation/sanity/spread.js';
import { convEmbedder } from '../../src/models/index.js';
import { standard, type TrainedEnsemble, train } from '../../src/training/index.js';
import { tinyImages } from '../models/tiny-images.js';
import { QUICKER } from './brief.js';
import { withoutChecks } from './without-checks.js';

const data = tinyImages();
const plan = (objectiveName: string, epsilon = 0.3, steps = 6) => ({
  name: objectiveName,
  objective: objective(objectiveName),
  settings: pgd({ epsilon, steps }),
});
const options = { backend: QUICKER, allowSeen: true, batchSize: 20, epsilon: 0.3, bootstrap: 0 };
let ensemble: TrainedEnsemble;

withoutChecks();

beforeAll(async () => {
  const model = convEmbedder({ dimension: 4, width: 2 });
  const method = standard({ members: 2 });
  ensemble = await train({
    data,
    model,
    method,
    epochs: 15,
    learningRate: 0.01,
    batch: { size: 12 },
    backend: QUICKER,
  });
});

afterAll(() => ensemble.dispose());

describe('an evaluation, beside the transductive scores', () => {
  it('assigns attacked images to clean clusters, and keeps what no attack of a sample lost', async () => {
    const attacks = [plan('centroid-random-target'), plan('centroid-margin')];
    const report = await evaluate(ensemble, data, { ...options, attacks });
    const clean = await evaluate(ensemble, data, { ...options, attacks: [plan('proxy', 0)] });
    expect(clean.attacks[0].inductive.nmi).toBeCloseTo(clean.clean.nmi!, 10);
    expect(clean.perSample.recallAt1).toBeCloseTo(clean.clean.recallAt1!, 10);
    for (const { inductive } of report.attacks) expect(inductive.nmi).toBeLessThan(report.clean.nmi!);
    const lowest = Math.min(...report.attacks.map(({ scores }) => scores.recallAt1!));
    expect(report.perSample.recallAt1).toBeLessThanOrEqual(lowest);
    expect(report.perSample.nearestMean).toBeLessThan(clean.perSample.nearestMean);
  });

  it('finds the clusters of the inductive protocol on reference data where given', async () => {
    const reference = tinyImages({ perClass: 3 });
    const attacks = [plan('proxy', 0)];
    const report = await evaluate(ensemble, data, { ...options, attacks, reference });
    expect(report.attacks[0].inductive.nmi).toBeGreaterThan(0.5);
  });

  it('partial: attacks a share, and the rest suffers more from more of it', async () => {
    const before = tf.memory().numTensors;
    const told: EvaluationProgress[] = [];
    const onProgress = (progress: EvaluationProgress) => void told.push(progress);
    const shares = { partial: [0.1, 0.5], batchSize: 48, onProgress };
    const { partial } = await evaluate(ensemble, data, { ...options, attacks: [], ...shares });
    expect(told.at(-1)).toMatchObject({ attack: expect.stringMatching(/^partial /), done: 9 * 29, total: 9 * 29 });
    expect(tf.memory().numTensors).toBe(before);
    expect(partial!.map(({ share, attacked }) => [share, attacked])).toEqual([
      ...Array(9).fill([0.1, 5]),
      ...Array(9).fill([0.5, 24]),
    ]);
    for (const { all, rest, spillOver } of partial!) {
      expect(all.nmi).toBeLessThan(1);
      expect(rest.nmi! + spillOver.nmi!).toBeGreaterThan(0.8);
    }
    const mean = (share: number) =>
      partial!.filter((p) => p.share === share).reduce((sum, { all }) => sum + all.nmi!, 0);
    expect(mean(0.5)).toBeLessThan(mean(0.1));
    await expect(evaluate(ensemble, data, { ...options, attacks: [], partial: [1] })).rejects.toThrow(/partial/);
  });

  it('transfer: a row per source and a column per observer, the ensemble last; the own attack hurts most', async () => {
    const told: string[] = [];
    const onProgress = ({ attack, done, total }: EvaluationProgress) => void told.push(`${attack} ${done}/${total}`);
    const { transfer } = await evaluate(ensemble, data, { ...options, attacks: [], transfer: true, onProgress });
    expect(told.at(-1)).toBe('transfer of pgd-10/centroid-random-target 144/144');
    expect(transfer!.recallAt1.map((row) => row.length)).toEqual([3, 3, 3]);
    const { recallAt1 } = transfer!;
    expect(recallAt1[0][0]).toBeLessThanOrEqual(recallAt1[0][1]!);
    expect(recallAt1[1][1]).toBeLessThanOrEqual(recallAt1[1][0]!);
  });

  it('joint-set: does no less to the whole set than the same attack batch by batch, and leaks nothing', async () => {
    const before = tf.memory().numTensors;
    const attacks = [plan('joint-set', 0.15, 12), plan('joint-pairwise', 0.15, 12)];
    const report = await evaluate(ensemble, data, { ...options, attacks, batchSize: 12 });
    expect(tf.memory().numTensors).toBe(before);
    const [set, batch] = report.attacks.map(({ scores }) => scores.nmi);
    expect(set).toBeLessThan(report.clean.nmi! - 0.1);
    expect(set).toBeLessThan(batch! + 0.15);
  });
});

describe('evaluateRanking', () => {
  it('gives ten measures that attacks lower and their score', async () => {
    const before = tf.memory().numTensors;
    const run = { backend: QUICKER, allowSeen: true, steps: 4 };
    const none = await evaluateRanking(ensemble, data, { ...run, epsilon: 0 });
    const much = await evaluateRanking(ensemble, data, { ...run, epsilon: 0.3 });
    expect(tf.memory().numTensors).toBe(before);
    expect(Object.keys(none.scores).length).toBe(10);
    expect(none.scores.GTT).toBe(100);
    expect(none.scores['ES:D']).toBeLessThan(1e-3);
    expect(much.ers).toBeLessThan(none.ers! - 10);
    expect(much.scores['QA-']).toBeGreaterThan(none.scores['QA-']!);
    expect(much.scores['CA+']).toBeLessThan(none.scores['CA+']!);
  });
});

describe('spreadOf', () => {
  it('measures distance and rank of known point clouds', () => {
    // The corners of a square of side 2 in a plane of 3 dimensions: variance 1 along two axes.
    const square = { data: Float32Array.from([1, 1, 0, 1, -1, 0, -1, 1, 0, -1, -1, 0]), rows: 4, cols: 3 };
    expect(spreadOf(square)).toEqual({ meanSquaredDistance: 4, effectiveRank: 2 });
    const line = { data: Float32Array.from([1, 2, -1, -2]), rows: 2, cols: 2 };
    expect(spreadOf(line).effectiveRank).toBeCloseTo(1, 10);
    const point = { data: new Float32Array(6).fill(0.5), rows: 3, cols: 2 };
    expect(spreadOf(point)).toEqual({ meanSquaredDistance: 0, effectiveRank: 0 });
  });
});
