import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type AttackSettings, objective, pgd } from '../../src/attacks/index.js';
import * as attacking from '../../src/evaluation/attack-dataset.js';
import { evaluate, evaluateRanking, type RankingOptions } from '../../src/evaluation/index.js';
import { convEmbedder, Ensemble } from '../../src/models/index.js';
import { tinyImages } from '../models/tiny-images.js';
import { withoutChecks } from './without-checks.js';

withoutChecks();

const made: [name: string, settings: AttackSettings][] = [];

async function ranked(options: RankingOptions) {
  made.length = 0;
  await tf.setBackend('cpu');
  const data = tinyImages({ perClass: 2 });
  const ensemble = new Ensemble([convEmbedder({ dimension: 3, width: 1 }).build(data.shape, 1)]);
  await evaluateRanking(ensemble, data, { epsilon: 0.2, steps: 7, backend: 'cpu', ...options });
  ensemble.dispose();
}

/** No attack is made: what is embedded are the clean images. */
beforeAll(() => {
  vi.spyOn(attacking, 'attackDataset').mockImplementation(async ({ plan, context: { gallery } }) => {
    made.push([plan.name, plan.settings]);
    const [rows, cols] = gallery.shape;
    return { data: await gallery.data<'float32'>(), rows, cols };
  });
});
afterAll(() => vi.mocked(attacking.attackDataset).mockRestore());

it('the ranking attacks go from the image in RobRank’s steps, 3/255 where the radius is 77/255', async () => {
  await ranked({});
  expect(made.map(([name]) => name)).toEqual(
    ['CA+', 'CA-', 'QA+', 'QA-', 'TMA', 'ES', 'LTM', 'GTM', 'GTT'].map((name) => `ranking/${name}`),
  );
  for (const [, settings] of made) {
    expect(settings).toMatchObject({ rule: 'fixed', steps: 7, epsilon: 0.2, randomStart: false, keep: 'best' });
    expect((settings as { stepSize: number }).stepSize).toBeCloseTo(0.2 * (3 / 77), 12);
  }
});

it('robrank: the last iterates, and the shift of ES one step before', async () => {
  await ranked({ ers: 'robrank' });
  expect(made.filter(([name]) => name === 'ranking/ES').map(([, { steps }]) => steps)).toEqual([7, 6]);
  for (const [, settings] of made) expect(settings).toMatchObject({ keep: 'last' });
  await ranked({ ers: 'robrank', steps: 1 });
  expect(made.filter(([name]) => name === 'ranking/ES').length).toBe(1);
});

it('the suite robrank, and ranking beside other attacks, report what evaluateRanking does', async () => {
  await tf.setBackend('cpu');
  const data = tinyImages({ perClass: 2 });
  const ensemble = new Ensemble([convEmbedder({ dimension: 3, width: 1 }).build(data.shape, 1)]);
  const options = { epsilon: 0.2, backend: 'cpu' as const, seed: 3 };
  const alone = await evaluateRanking(ensemble, data, { ...options, ers: 'robrank' });
  made.length = 0;
  const report = await evaluate(ensemble, data, {
    ...options,
    ers: 'robrank',
    suite: 'robrank',
  });
  expect(report.ranking).toEqual(alone);
  expect(report.attacks.map(({ name }) => name)).toEqual(['pgd-32/embedding-shift', 'composite']);
  expect(report.attacks[0].settings).toMatchObject({ steps: 32, stepSize: 0.2 * (3 / 77), epsilon: 0.2 });
  expect(made.map(([name]) => name)).toContain('ranking/GTT');
  const own = { attacks: [{ name: 'a', objective: objective('proxy'), settings: pgd({ epsilon: 0.2, steps: 1 }) }] };
  const beside = await evaluate(ensemble, data, { ...options, ...own, ers: 'robrank', ranking: true });
  expect(beside.ranking).toEqual(alone);
  expect((await evaluate(ensemble, data, { ...options, ...own, suite: 'robrank' })).ranking).toBeUndefined();
  ensemble.dispose();
});
