import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { convEmbedder } from '../../src/models/index.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import {
  act,
  adp,
  at,
  type Diversity,
  dverge,
  type EatOptions,
  eat,
  eatHeads,
  ensembleAt,
  est,
  gal,
  hm,
  type Method,
  standard,
  type TrainedEnsemble,
  type TrainOptions,
  type Transfer,
  trades,
  train,
} from '../../src/training/index.js';
import { QUICKER } from '../evaluation/brief.js';
import { LONG } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';

const data = tinyImages({ perClass: 9 });
/** Of one step an epoch, as the batch has them all. */
const oneStep = tinyImages({ perClass: 3 });
const model = convEmbedder({ dimension: 4, width: 2 });
const attack = { epsilon: 0.1, steps: 2 };
const COUNT = data.length;

const run = (method: Method, more: Partial<TrainOptions> = {}) =>
  train({ data, model, method, seed: 2, epochs: 1, ...more, batch: { classes: 4, images: 3 }, backend: QUICKER });

const weightsOf = (ensemble: TrainedEnsemble) =>
  ensemble.members.flatMap(({ weights }) => [...weights.values()].flatMap((w) => Array.from(w.dataSync())));

beforeAll(() => chooseBackend({ backend: QUICKER }));

describe('data that members see', () => {
  const samples = (options: Partial<EatOptions>) => eat({ attack, ...options }).memberData(data.labels, 5);
  const counts = (parts: Int32Array[]) => {
    const seen = new Uint8Array(COUNT);
    for (const part of parts) for (const sample of part) seen[sample]++;
    return [...new Set(seen)];
  };

  it.each<[Diversity, Partial<EatOptions>, number, number[]]>([
    ['leave-one-out', { members: 3 }, (COUNT * 2) / 3, [2]],
    ['leave-one-out', { members: 4 }, (COUNT * 3) / 4, [3]],
    ['disjoint', { members: 3 }, COUNT / 3, [1]],
    ['m-of-n', { members: 3, m: 2, n: 6 }, COUNT / 3, [1]],
    ['m-of-n', { members: 2, m: 3, n: 4 }, (COUNT * 3) / 4, [1, 2]],
    ['none', { members: 3 }, COUNT, [3]],
    ['disjoint', { members: 4, by: 'class' }, COUNT / 4, [1]],
    ['leave-one-out', { members: 2, by: 'class' }, COUNT / 2, [1]],
  ])('%s %o', (diversity, options, each, seenBy) => {
    const parts = samples({ diversity, ...options });
    expect(parts.map((part) => part.length)).toEqual(parts.map(() => each));
    expect(counts(parts).sort()).toEqual(seenBy);
    for (const part of parts) expect(Array.from(part)).toEqual([...new Set(part)].sort((a, b) => a - b));
  });

  it('by class: a member sees all of a class or nothing', () => {
    for (const part of samples({ members: 4, by: 'class' })) {
      const missing = new Set([10, 11, 12, 13]);
      for (const sample of part) missing.delete(data.labels[sample]);
      expect(missing.size).toBe(1);
    }
  });

  it('is cut anew for another seed and the same for the same', () => {
    const method = eat({ attack });
    expect(method.memberData(data.labels, 1)).toEqual(method.memberData(data.labels, 1));
    expect(method.memberData(data.labels, 1)).not.toEqual(method.memberData(data.labels, 2));
  });

  it.each([
    [{ diversity: 'm-of-n' as const }, /\bm\b/],
    [{ diversity: 'm-of-n' as const, m: 4, n: 3 }, /1 to 3 parts/],
    [{ diversity: 'half' as never }, /leave-one-out.*half/],
    [{ transfer: 'all' as never }, /shared.*pooled.*all/],
    [{ members: 0 }, /members/],
    [{ members: 1, transfer: 'peers' as const }, /at least 2 members for peers/],
    [{ by: 'image' as never }, /sample or class.*image/],
    [{ attack: { epsilon: 0.1, goal: 'nothing' } }, /soft-kmeans for attack\.goal.*nothing/],
    [{ alignment: -1 }, /alignment/],
    [{ attack: { epsilon: -1 } }, /epsilon/],
  ])('refuses %o', (options, message) => {
    const code = 'ERR_ARGUMENT';
    expect(() => eat({ attack, ...options })).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

describe('methods', () => {
  const variants: [string, Method][] = [
    ['standard', standard()],
    ['standard of 3', standard({ members: 3 })],
    ['at', at({ attack })],
    ['at l2', at({ attack: { norm: 'l2', epsilon: 0.8, steps: 2 } })],
    ['ensemble-at', ensembleAt({ attack })],
    ['eat none none', eat({ attack, diversity: 'none', transfer: 'none', alignment: 0.5 })],
    ...(['leave-one-out', 'disjoint', 'm-of-n', 'none'] as Diversity[]).map(
      (diversity) => [`eat ${diversity}`, eat({ attack, diversity, m: 1, n: 5 })] as [string, Method],
    ),
    ['eat-heads', eatHeads({ attack })],
    ['eat-heads disjoint', eatHeads({ attack, heads: 2, diversity: 'disjoint', alignment: 0 })],
    ...(['peers', 'mix', 'none', 'one', 'relay', 'pooled'] as Transfer[]).map(
      (transfer) => [`eat ${transfer}`, eat({ attack, transfer })] as [string, Method],
    ),
    ['eat aligned less', eat({ attack, alignment: 0.5 })],
    ['eat on one goal', eat({ attack: { ...attack, goal: 'training-loss' } })],
    ['eat by class', eat({ attack, by: 'class' })],
    ['eat of 5', eat({ attack, members: 5 })],
    ...['centroid-random-target', 'joint-pairwise', 'soft-kmeans'].map(
      (goal) => [`at on ${goal}`, at({ attack: { ...attack, goal } })] as [string, Method],
    ),
    ['eat on two other goals', eat({ attack: { ...attack, goal: ['training-loss', 'joint-pairwise'] } })],
    ['trades', trades({ attack })],
    ['est', est({ attack })],
    ['act', act({ attack })],
    ['hm', hm({ attack })],
    ['hm without ICS', hm({ attack, ics: 0 })],
    ['adp', adp()],
    ['adp with at', adp({ attack })],
    ['gal', gal()],
    ['gal with at', gal({ attack })],
    ['dverge', dverge({ attack })],
    ['dverge with at', dverge({ attack, adversarial: true })],
  ];
  const results = new Map<string, string>();

  it.each(variants)('%s trains, unlike every other, and leaks nothing', async (name, method) => {
    const before = tf.memory().numTensors;
    const ensemble = await run(method, LONG ? {} : { data: oneStep });
    expect(ensemble.members.length).toBe(method.members);
    expect(ensemble.history.losses.every(Number.isFinite)).toBe(true);
    const weights = JSON.stringify(weightsOf(ensemble));
    for (const [other, theirs] of results) expect(weights === theirs, `${name} equals ${other}`).toBe(false);
    results.set(name, weights);
    ensemble.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('ensemble-at is eat without diversity, transfer, alignment and a goal of its own', async () => {
    const [plain, reduced] = [
      await run(ensembleAt({ attack })),
      await run(
        eat({ attack: { ...attack, goal: 'training-loss' }, diversity: 'none', transfer: 'none', alignment: 0 }),
      ),
    ];
    expect(weightsOf(plain)).toEqual(weightsOf(reduced));
  });

  it('eat-heads refuses a model of other heads, and one that can have none', async () => {
    const method = eatHeads({ attack });
    await expect(run(method, { model: convEmbedder({ dimension: 4, width: 2, heads: 2 }) })).rejects.toThrow(
      'Expected a model of 3 heads for the method eat-heads but received conv with 2.',
    );
    const { withHeads: _, ...foreign } = model;
    await expect(run(method, { model: foreign })).rejects.toThrow(
      'Expected a model of 3 heads for the method eat-heads but received conv with 1.',
    );
    const same = await run(method, { model: convEmbedder({ dimension: 4, width: 2, heads: 3 }) });
    expect(weightsOf(same)).toEqual(weightsOf(await run(method)));
  });

  it('eat-heads of one head that is not split is at', async () => {
    const [single, one] = [
      await run(at({ attack })),
      await run(eatHeads({ heads: 1, attack: { ...attack, goal: 'training-loss' }, diversity: 'none', alignment: 0 })),
    ];
    for (const [i, x] of weightsOf(one).entries()) expect(x).toBeCloseTo(weightsOf(single)[i], 5);
  });

  it('eat of one member is at', async () => {
    const [single, one] = [
      await run(at({ attack })),
      await run(eat({ attack: { ...attack, goal: 'training-loss' }, members: 1, transfer: 'none', alignment: 0 })),
    ];
    expect(weightsOf(one)).toEqual(weightsOf(single));
  });

  it('at is the first member of ensemble-at', async () => {
    const [single, three] = [await run(at({ attack })), await run(ensembleAt({ attack }))];
    const first = weightsOf(single);
    expect(weightsOf(three).slice(0, first.length)).toEqual(first);
  });

  it('report their compute: one gradient per image and attack step and model crafted on, one per update', async () => {
    const gradients = async (method: Method) => {
      const ensemble = await run(method, { data: oneStep });
      ensemble.dispose();
      return ensemble.history.gradientEvaluations / oneStep.length;
    };
    expect(await gradients(standard())).toBe(1);
    expect(await gradients(at({ attack }))).toBe(2 + 1);
    expect(await gradients(ensembleAt({ attack }))).toBe(3 * (2 + 1));
    // Shared: one attack of three models for the batch. Then each member updates on two thirds of it.
    expect(await gradients(eat({ attack }))).toBe(2 * 3 + 2);
    expect(await gradients(eat({ attack, transfer: 'peers' }))).toBe(2 * (2 * 2) + 2);
    expect(await gradients(eat({ attack, transfer: 'none' }))).toBe(2 * 2 + 2);
    expect(await gradients(eat({ attack, transfer: 'one' }))).toBe(2 + 2);
    expect(await gradients(eat({ attack, transfer: 'relay' }))).toBe(2 * (2 + 1) + 2);
    // Pooled: each of three crafts on the whole batch, and two thirds of it come to a member three times.
    expect(await gradients(eat({ attack, transfer: 'pooled' }))).toBe(3 * 2 + 3 * 2);
    // Beside the attack: clean and attacked; the two peers' images.
    expect(await gradients(trades({ attack }))).toBe(2 + 2);
    expect(await gradients(dverge({ attack }))).toBe(3 * (2 + 2));
    // Every member's gradient at the clean images, which all see; in the update the image itself, and once to either side of it.
    expect(await gradients(gal())).toBe(3 + 3 * (1 + 2));
  });

  it('aligned members agree more than others', async () => {
    const spread = async (alignment: number) => {
      const ensemble = await run(eat({ attack, alignment }), { epochs: LONG ? 10 : 5, learningRate: 0.01 });
      const x = tf.tensor4d(
        Float32Array.from(data.images, (p) => p / 255),
        [COUNT, ...data.shape],
      );
      const [a, b] = ensemble.members.map((member) => member.apply(x));
      return tf.mean(tf.squaredDifference(a, b)).dataSync()[0];
    };
    expect(await spread(20)).toBeLessThan(0.5 * (await spread(0)));
  });
});
