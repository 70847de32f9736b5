import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objective, pgd } from '../../src/attacks/index.js';
import { type EvaluationProgress, evaluate, METRICS, type Scores, suite } from '../../src/evaluation/index.js';
import { worstCase } from '../../src/evaluation/scores.js';
import { convEmbedder } from '../../src/models/index.js';
import { type TrainedEnsemble, train } from '../../src/training/index.js';
import { tinyImages } from '../models/tiny-images.js';
import { QUICKER } from './brief.js';
import { passChecks } from './without-checks.js';

const data = tinyImages();
const plan = (objectiveName: string, epsilon = 0.3) => ({
  name: objectiveName,
  objective: objective(objectiveName),
  settings: pgd({ epsilon, steps: 6 }),
});
/** These tests are of the measures, not of the model: it is measured on what it has seen. */
const seen = { backend: QUICKER, allowSeen: true } as const;
let ensemble: TrainedEnsemble;

beforeAll(async () => {
  const model = convEmbedder({ dimension: 4, width: 2 });
  ensemble = await train({ data, model, epochs: 15, learningRate: 0.01, batch: { size: 12 }, backend: QUICKER });
});

afterAll(() => ensemble.dispose());

describe('evaluate', () => {
  it('reports clean, every attack and the worst case, as plain values, the same each time', async () => {
    const before = tf.memory().numTensors;
    const attacks = [plan('centroid-random-target'), plan('joint-pairwise')];
    const report = await evaluate(ensemble, data, { attacks, ...seen, batchSize: 20 });
    expect(tf.memory().numTensors).toBe(before);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(report.clean.nmi).toBeGreaterThan(0.8);
    expect(report.clean.recallAt1).toBeGreaterThan(0.9);
    expect(report.attacks.map(({ name }) => name)).toEqual(['centroid-random-target', 'joint-pairwise', 'composite']);
    for (const { scores } of report.attacks) {
      expect(Object.keys(scores).sort()).toEqual([...METRICS].sort());
      expect(scores.nmi).toBeLessThan(report.clean.nmi! - 0.1);
      expect(scores.recallAt1).toBeLessThan(report.clean.recallAt1!);
    }
    expect(report.worst.scores.nmi).toBe(Math.min(...report.attacks.map(({ scores }) => scores.nmi!)));
    const [first, second, composite] = report.attacks.map(({ scores }) => scores);
    for (const metric of ['nmi', 'recallAt1', 'mapAtR'] as const) {
      expect(composite[metric]).toBeLessThanOrEqual(Math.min(first[metric]!, second[metric]!));
    }
    expect(report.manifest).toMatchObject({ k: 4, classes: 4, samples: 48, members: 1, seed: 0, batchSize: 20 });
    expect(report.manifest.clusterRestarts).toBe(20);
    expect(report.manifest.backend.name).toBe(QUICKER);
    expect(report.manifest.device).toMatch(/^(cpu|js): /);
    expect(report.manifest.dataHash).toMatch(/^[0-9a-f]{64}$/);
    passChecks();
    const again = await evaluate(ensemble, data, { attacks, ...seen, batchSize: 20, bootstrap: 0 });
    expect(again.attacks.map(({ scores }) => scores)).toEqual(report.attacks.map(({ scores }) => scores));
  });

  it('gives the clean scores under an attack of epsilon 0', async () => {
    passChecks();
    const report = await evaluate(ensemble, data, { attacks: [plan('proxy', 0)], ...seen, bootstrap: 0 });
    expect(report.attacks[0].scores).toEqual(report.clean);
  });

  it('searches attacked queries in the clean gallery: a swap of classes ruins recall, not clustering', async () => {
    passChecks();
    // Every image becomes one of the next class: clusters are renamed, neighbours are all wrong.
    const swap = {
      ...plan('embedding-shift', 1),
      objective: {
        name: 'swap',
        joint: false,
        flatAtStart: false,
        bind: ({ labels, centroids }: { labels?: Int32Array; centroids?: tf.Tensor2D }) => {
          const goals = tf.gather(
            centroids!,
            tf.tensor1d(
              labels!.map((label) => (label + 1) % 4),
              'int32',
            ),
          );
          return (e: tf.Tensor2D) => tf.neg(tf.sum(tf.squaredDifference(e, goals), 1)) as tf.Tensor1D;
        },
      },
      settings: pgd({ epsilon: 1, steps: 40 }),
    };
    const { attacks } = await evaluate(ensemble, data, { attacks: [swap], ...seen, bootstrap: 0 });
    expect(attacks[0].scores.nmi).toBeGreaterThan(0.7);
    expect(attacks[0].scores.recallAt1).toBeLessThan(0.3);
  });

  it('runs a suite by name, on a sample of the images, with progress', async () => {
    passChecks();
    const reported: EvaluationProgress[] = [];
    const report = await evaluate(ensemble, data, {
      suite: 'quick',
      epsilon: 0.05,
      norm: 'linf',
      count: 16,
      k: 3,
      batchSize: 10,
      bootstrap: 0,
      ...seen,
      onProgress: (progress) => reported.push(progress),
    });
    expect(report.manifest).toMatchObject({ samples: 16, k: 3, epsilon: 0.05 });
    expect(report.attacks.length).toBe(10);
    // Images that move together count a step at a time: two attacks of twenty steps, two batches each.
    expect(reported.length).toBe(2 * 40 + 7 * 2);
    // Whole images, also where they move together.
    expect(reported.every(({ done }) => Number.isInteger(done))).toBe(true);
    expect(reported[39].done).toBe(16);
    expect(reported.slice(-2).map(({ done }) => done)).toEqual([138, 144]);
    expect(reported.every(({ total, imagesPerSecond }) => total === 144 && imagesPerSecond > 0)).toBe(true);
    expect(reported.at(-1)!.etaSeconds).toBeCloseTo(0, 6);
  });

  it('stops when aborted and frees everything', async () => {
    passChecks();
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    const run = evaluate(ensemble, data, {
      suite: 'quick',
      ...seen,
      batchSize: 10,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    ['an unknown suite', { suite: 'slow' as never }, /quick.*slow/],
    ['epsilon below 0', { epsilon: -1 }, /epsilon/],
    ['two attacks of one name', { attacks: [plan('proxy'), plan('proxy')] }, /proxy/],
    ['one image', { count: 1 }, /count/],
    ['more clusters than images', { k: 49, attacks: [] }, /k\b/],
  ])('refuses %s', async (_, options, message) => {
    const expected = { code: 'ERR_ARGUMENT', message: expect.stringMatching(message) };
    await expect(evaluate(ensemble, data, { ...seen, ...options })).rejects.toMatchObject(expected);
  });
});

describe('suites', () => {
  it.each([
    ['quick', 9],
    ['standard', 21],
    ['thorough', 23],
    ['auto', 19],
  ] as const)('%s has %i attacks with names of their own', (name, count) => {
    const plans = suite(name, { norm: 'l2', epsilon: 1 });
    expect(new Set(plans.map((p) => p.name)).size).toBe(count);
    expect(plans.every(({ settings }) => settings.norm === 'l2' && settings.epsilon === 1)).toBe(true);
    expect(plans.every((p) => p.settings.randomStart || !p.objective.flatAtStart)).toBe(true);
  });
});

describe('suites in other norms', () => {
  it('have no Square in l1 and no Carlini-Wagner but in l2', () => {
    const names = (norm: 'linf' | 'l1' | 'l2') => suite('thorough', { norm, epsilon: 1 }).map((p) => p.settings.name);
    expect(names('l1')).not.toContain('square');
    expect(names('linf')).toContain('square');
    expect(names('linf')).not.toContain('cw');
    expect(names('l2')).toContain('cw');
  });
});

describe('worstCase', () => {
  it('takes the lowest of every metric and names where it is from', () => {
    const flat = (value: number) => Object.fromEntries(METRICS.map((metric) => [metric, value])) as Scores;
    const worst = worstCase([
      { name: 'clean', scores: flat(0.9) },
      { name: 'a', scores: { ...flat(0.5), nmi: 0.95 } },
      { name: 'b', scores: { ...flat(0.6), ari: 0.1 } },
    ]);
    expect(worst.scores).toEqual({ ...flat(0.5), nmi: 0.6, ari: 0.1 });
    expect([worst.by.nmi, worst.by.ari, worst.by.f1]).toEqual(['b', 'b', 'a']);
  });
});
