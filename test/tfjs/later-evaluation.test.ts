import * as tf from '@tensorflow/tfjs';
import { afterEach, expect, it } from 'vitest';
import { apgd, carliniWagner, objective, pgd, square } from '../../src/attacks/index.js';
import { type AttackPlan, type EvaluateOptions, evaluate, evaluateRanking, suite } from '../../src/evaluation/index.js';
import { convEmbedder, Ensemble } from '../../src/models/index.js';
import { chooseBackend, onPresentBackend } from '../../src/tfjs/index.js';
import { passChecks } from '../evaluation/without-checks.js';
import { fewOf, LONG } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';
import { INNER, meet } from './stranger.js';

const data = tinyImages({ classes: 3, perClass: 4 });

afterEach(() => chooseBackend({ backend: INNER }));

/** What `work` makes of so many networks on the backend that tfjs has; it leaves no tensor. */
async function measured<T>(work: (ensemble: Ensemble) => Promise<T>, members = 2): Promise<T> {
  const before = tf.memory().numTensors;
  const model = convEmbedder({ dimension: 4, width: 2 });
  const ensemble = new Ensemble([1, 2].slice(0, members).map((seed) => model.build(data.shape, seed)));
  try {
    return await onPresentBackend(() => work(ensemble));
  } finally {
    ensemble.dispose();
    expect(tf.memory().numTensors).toBe(before);
  }
}

async function reportOf(options: EvaluateOptions, members?: number) {
  const all = { allowSeen: true, bootstrap: 0, batchSize: LONG ? 5 : 8, clusterRestarts: 2, ...options };
  const { manifest, attacks, ...report } = await measured((ensemble) => evaluate(ensemble, data, all), members);
  // Times, and the backend's name.
  return { ...report, seconds: 0, attacks: attacks.map((attack) => ({ ...attack, seconds: 0 })), k: manifest.k };
}

/** The plans of a suite in few steps. */
const brief = (plans: AttackPlan[]) =>
  plans.map(({ settings, ...plan }) => ({ ...plan, settings: { ...settings, steps: Math.min(settings.steps, 4) } }));

const OWN: AttackPlan[] = [
  ...(['linf', 'l2', 'l1'] as const).map((norm) =>
    apgd({ norm, epsilon: { linf: 0.1, l2: 1, l1: 4 }[norm], steps: 8 }),
  ),
  carliniWagner({ epsilon: 1, steps: 3, searches: 2 }),
  square({ norm: 'l2', epsilon: 1, steps: 5 }),
].map((settings) => ({ name: `${settings.name} ${settings.norm}`, objective: objective('centroid-margin'), settings }));
OWN.push({ name: 'again', objective: objective('retrieval'), settings: pgd({ epsilon: 0.1, steps: 3, restarts: 3 }) });
OWN.push({ name: 'in passes', objective: objective('joint-set'), settings: pgd({ epsilon: 0.1, steps: 4 }) });

const EVALUATIONS: [string, EvaluateOptions, members?: number][] = [
  ['every protocol', { attacks: brief(suite('quick', { epsilon: 0.1 })).slice(4, 6), partial: [0.25], transfer: true }],
  ['quick, in few steps', { attacks: brief(suite('quick', { epsilon: 0.1 })) }],
  ['the checks, of one network', { attacks: [] }, 1],
  ['standard, in few steps', { attacks: brief(suite('standard', { epsilon: 0.1 })) }],
  ['in l2, and what suites do not have', { attacks: OWN, norm: 'l2', epsilon: 1 }],
];

it.each(fewOf(EVALUATIONS, 2))(
  'an evaluation reads nothing at once, and comes to the same report: %s',
  async (_, options, members) => {
    // In the short form the checks are alone.
    if (!LONG && members !== 1) passChecks();
    await meet('readable');
    const expected = await reportOf(options, members);
    const made = expected.checks.filter(({ passed }) => passed !== null).length;
    if (LONG || members === 1) expect(made).toBeGreaterThan(4);
    await meet('unreadable');
    expect(await reportOf(options, members)).toEqual(expected);
  },
);

it('embeds, and ranks, likewise', async () => {
  const both = (ensemble: Ensemble) =>
    Promise.all([
      ensemble.embed(data),
      evaluateRanking(ensemble, data, { epsilon: 0.1, steps: 3, allowSeen: true }),
    ] as const);
  await meet('readable');
  const expected = await measured(both);
  await meet('unreadable');
  expect(await measured(both)).toEqual(expected);
});

it('what ends an evaluation leaves no tensor', async () => {
  passChecks();
  await meet('unreadable');
  const controller = new AbortController();
  const attacks = brief(suite('quick', { epsilon: 0.1 }));
  const run = reportOf({ attacks, onProgress: () => controller.abort(), signal: controller.signal });
  await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  const goal = objective('centroid-margin');
  const broken = {
    ...goal,
    bind: (inputs: Parameters<typeof goal.bind>[0]) => {
      const values = goal.bind(inputs);
      return (e: tf.Tensor2D) => tf.mul<tf.Tensor1D>(values(e), Number.NaN);
    },
  };
  for (const settings of [pgd({ epsilon: 0.1, steps: 2 }), apgd({ epsilon: 0.1, steps: 3 })]) {
    const failing = reportOf({ attacks: [{ name: 'broken', objective: broken, settings }] });
    await expect(failing).rejects.toMatchObject({
      code: 'ERR_NOT_FINITE',
      message: /values of the objective centroid/,
    });
  }
});
