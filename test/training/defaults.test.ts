import { expect, it } from 'vitest';
import { convEmbedder } from '../../src/models/index.js';
import {
  act,
  adp,
  at,
  dverge,
  eat,
  ensembleAt,
  est,
  gal,
  hm,
  type Method,
  standard,
  trades,
} from '../../src/training/index.js';
import { settingsOf } from '../../src/training/options.js';
import { tinyImages } from '../models/tiny-images.js';

const attack = { epsilon: 0.1 };
/** PGD of 5 steps of 2.5 epsilon / 5, the last kept. */
const trained = {
  ...{ name: 'pgd', norm: 'linf', epsilon: 0.1, steps: 5, stepSize: 0.05, randomStart: true, restarts: 1 },
  ...{ rule: 'fixed', momentum: 0, keep: 'last', goals: ['training-loss'] },
};
const both = { ...trained, goals: ['training-loss', 'centroid-random-target'] };

it.each<[Method, Record<string, unknown>]>([
  [standard(), { members: 1 }],
  [at({ attack }), { members: 1, attack: trained }],
  [ensembleAt({ attack }), { members: 3, attack: trained }],
  [
    eat({ attack }),
    { members: 3, diversity: 'leave-one-out', by: 'sample', transfer: 'shared', alignment: 1, attack: both },
  ],
  [trades({ attack }), { members: 1, beta: 6, attack: trained }],
  [est({ attack }), { members: 1, attack: trained }],
  [act({ attack }), { members: 1, margin: 0.2, attack: trained }],
  [hm({ attack }), { members: 1, margin: 0.2, ics: 0.5, attack: trained }],
  [adp(), { members: 3, alpha: 2, beta: 0.5 }],
  [gal(), { members: 3, lambda: 0.5 }],
  [dverge({ attack }), { members: 3, adversarial: false, attack: trained }],
])('$config.name goes by its published or documented values', ({ config }, expected) => {
  const { name: _, ...options } = JSON.parse(JSON.stringify(config));
  expect(options).toEqual(expected);
});

it('proxies learn at a hundred times the rate, unless told otherwise', () => {
  const given = { data: tinyImages({ perClass: 1 }), model: convEmbedder() };
  const { learningRate, proxyLearningRate } = settingsOf(given);
  expect(proxyLearningRate).toBe(100 * learningRate);
  expect(settingsOf({ ...given, learningRate: 0.003 }).proxyLearningRate).toBeCloseTo(0.3, 12);
  expect(settingsOf({ ...given, proxyLearningRate: 0.5 }).proxyLearningRate).toBe(0.5);
});
