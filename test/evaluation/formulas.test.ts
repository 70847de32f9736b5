import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Objective, objective, pgd } from '../../src/attacks/index.js';
import { datasetFromArrays, sourceOf } from '../../src/data/index.js';
import { attackDataset } from '../../src/evaluation/attack-dataset.js';
import { suite } from '../../src/evaluation/index.js';
import { MeasuredSet } from '../../src/evaluation/measured-set.js';
import { type EvaluationProgress, progressReporter } from '../../src/evaluation/progress.js';
import { inductivePart } from '../../src/evaluation/protocols/inductive.js';
import { partialResults } from '../../src/evaluation/protocols/partial.js';
import { PerSample } from '../../src/evaluation/protocols/per-sample.js';
import type { ProtocolRun } from '../../src/evaluation/protocols/protocol.js';
import { setContext } from '../../src/evaluation/set-context.js';
import { randomStream } from '../../src/random.js';

/** Embeds an image as its pixels. */
const pixels = (size: number) => ({
  apply: (x: tf.Tensor4D) => tf.reshape(x, [-1, size]) as tf.Tensor2D,
  embedding: size,
});
/** Every step makes every pixel lighter. */
const lighter: Objective = { name: 'lighter', joint: false, flatAtStart: false, bind: () => (e) => tf.sum(e, 1) };
const matrix = (cols: number, values: number[]) => {
  return { data: Float32Array.from(values), rows: values.length / cols, cols };
};
const contextOf = (cols: number, values: number[], labels: Int32Array) => setContext(matrix(cols, values), labels);
const arrays = (images: Uint8Array, labels: Int32Array) =>
  sourceOf(datasetFromArrays({ images, labels, shape: [1, 1, 1] }));

beforeAll(() => tf.setBackend('cpu'));
afterEach(() => vi.restoreAllMocks());

describe('an objective over the whole set', () => {
  it('goes through the batches twice, half of the steps each, on from where the first time ended', async () => {
    const bytes = [51, 102, 0, 153];
    const labels = Int32Array.of(0, 1, 0, 1);
    const data = arrays(Uint8Array.from(bytes), labels);
    const clean = bytes.map((byte) => byte / 255);
    const seen: { self: number[]; sums: number[]; counts: number[]; start: number[] }[] = [];
    const objective: Objective = {
      ...lighter,
      wholeSet: true,
      bind({ rest, gallery }) {
        const [sums, counts] = [Array.from(rest!.sums.dataSync()), Array.from(rest!.counts)];
        const call = { self: Array.from(gallery!.self), sums, counts, start: [] as number[] };
        seen.push(call);
        return (e) => {
          if (call.start.length === 0) call.start = Array.from(e.dataSync());
          return tf.sum(e, 1);
        };
      },
    };
    const settings = pgd({ epsilon: 0.2, steps: 5, stepSize: 0.01, keep: 'last', randomStart: false });
    const context = await contextOf(1, clean, labels);
    const counted: number[] = [];
    const plan = { name: 'whole', objective, settings };
    const run = { ensemble: pixels(1), data, plan, context, seed: 3, batchSize: 3 };
    const attacked = await attackDataset({ ...run, onBatch: (images) => void counted.push(images) });
    // Three of five steps each time.
    for (const [i, value] of attacked.data.entries()) expect(value).toBeCloseTo(clean[i] + 0.06, 5);
    expect(seen.length).toBe(4);
    expect(counted).toEqual([1.5, 0.5, 1.5, 0.5]);
    // Of images in the order of their classes a batch would hold one class: batches are drawn, the same in both passes.
    const order = [0, 1].map((pass) => seen.slice(2 * pass, 2 * pass + 2).flatMap(({ self }) => self));
    expect(order[1]).toEqual(order[0]);
    expect(order[0]).not.toEqual([0, 1, 2, 3]);
    expect(order[0].slice().sort()).toEqual([0, 1, 2, 3]);
    // Batches of 3 and 1: before the second batch the first has moved; in the second pass all have.
    const moved = [0, 0.03, 0.03, 0.03];
    for (const [pass, { self, sums, counts, start }] of seen.entries()) {
      const outside = [0, 1, 2, 3].filter((i) => !self.includes(i));
      for (const label of [0, 1]) {
        const others = outside.filter((i) => labels[i] === label);
        expect(counts[label]).toBe(others.length);
        const extra = pass === 3 ? 0.06 : moved[pass];
        expect(sums[label]).toBeCloseTo(
          others.reduce((sum, i) => sum + clean[i] + extra, 0),
          5,
        );
      }
      for (const [at, i] of self.entries()) expect(start[at]).toBeCloseTo(clean[i] + (pass < 2 ? 0 : 0.03), 5);
    }
  });
});

describe('partial', () => {
  it('spill-over is what the untouched rest had in the clean clustering less what it has beside the attacked', async () => {
    // Classes at 0.4 and 0.6. The attacked images become white and take a cluster: the rest falls into the other.
    const labels = Int32Array.from({ length: 12 }, (_, i) => i % 2);
    const images = Uint8Array.from(labels, (label) => (label === 0 ? 102 : 153));
    const data = arrays(images, labels);
    const clean = Array.from(images, (byte) => byte / 255);
    const context = await contextOf(1, clean, labels);
    const settings = pgd({ epsilon: 1, steps: 4, stepSize: 1, keep: 'last', randomStart: false });
    const run = { ensemble: pixels(1), data, context, seed: 1, batchSize: 12 };
    const scoring = { k: 2, seed: 1, clusterRestarts: 5 };
    const plan = { name: 'white', objective: lighter, settings };
    const set = new MeasuredSet(matrix(1, clean), labels, scoring);
    const [half, fewer, one] = await partialResults(run, [0.5, 0.45, 0.01], [plan], set);
    expect([half, fewer, one].map(({ attacked }) => attacked)).toEqual([6, 5, 1]);
    expect(half.rest).toMatchObject({ nmi: 0, ari: 0 });
    expect(half.spillOver).toMatchObject({ nmi: 1, ari: 1 });
    expect(half.spillOver.purity).toBeCloseTo(1 - half.rest.purity!, 10);
    // Five are attacked: it is the other seven, of both classes, of which the commoner one is counted.
    expect([4, 5, 6].map((count) => count / 7)).toContain(fewer.rest.purity);
    // All twelve: one cluster is white, of both classes; both clusters tell next to nothing.
    expect(half.all.purity).toBeGreaterThanOrEqual(0.5);
    expect(half.all.purity).toBeLessThan(0.7);
  });
});

describe('transductive scores', () => {
  it('search a query among the clean images of others, its own clean self never found', async () => {
    // Classes alternate along a line: the nearest two of the inner ones, and the nearest of the outer, are of the other class.
    const labels = Int32Array.of(0, 1, 0, 1);
    const gallery = matrix(1, [0, 1, 2.1, 3.3]);
    const scoring = { k: 2, seed: 1, clusterRestarts: 3 };
    const clean = await new MeasuredSet(gallery, labels, scoring).scores();
    expect([clean.recallAt1, clean.recallAt2, clean.recallAt4]).toEqual([0, 0.5, 1]);
    // Moved queries are compared with where the others were: each to beside its class mate.
    const moved = await new MeasuredSet(gallery, labels, scoring).moved(matrix(1, [2, 3.2, 0.1, 1.1])).scores();
    expect(moved.recallAt1).toBe(1);
    // Clusters are found among what was moved: {0.1, 1.1} and {2, 3.2} hold one of each class.
    expect([moved.nmi, moved.purity]).toEqual([0, 0.5]);
  });
});

describe('per sample', () => {
  it('what one attack took stays lost, and each share is counted on its own', async () => {
    // Means at 0 and 1; samples 0, 1 of the first class, 2, 3 of the second.
    const gallery = matrix(1, [0, 0.1, 0.9, 1]);
    const labels = Int32Array.of(0, 0, 1, 1);
    const scoring = { k: 2, seed: 1, clusterRestarts: 1 };
    const survivors = new PerSample(labels, Uint8Array.of(1, 1, 1, 1), matrix(1, [0, 1]));
    const add = (...at: number[]) =>
      survivors.add(new MeasuredSet(matrix(1, at), labels, scoring, { embeddings: gallery, labels, own: true }));
    await add(...gallery.data);
    expect(survivors.worst()).toEqual({ recallAt1: 1, nearestMean: 1 });
    // Sample 0 crosses to 0.95 and is lost; the others stay.
    await add(0.95, 0.1, 0.9, 1);
    expect(survivors.worst()).toEqual({ recallAt1: 0.75, nearestMean: 0.75 });
    // Another attack leaves it alone and takes sample 3 over the middle.
    await add(0, 0.1, 0.9, 0.45);
    expect(survivors.worst()).toEqual({ recallAt1: 0.5, nearestMean: 0.5 });
  });
});

describe('inductive', () => {
  it('finds the clusters on the reference, not on the evaluated set', async () => {
    const labels = Int32Array.of(0, 0, 1, 1);
    const data = arrays(Uint8Array.of(1, 2, 3, 4), labels);
    const gallery = matrix(1, [0.1, 0.2, 0.8, 0.9]);
    // Its own clusters would tell the classes apart; of the reference's, at 0 and 0.12, one takes all.
    const embed = async () => matrix(1, [0, 0, 0.12, 0.12]);
    const scoring = { k: 2, seed: 1, clusterRestarts: 3 };
    const clean = new MeasuredSet(gallery, labels, scoring);
    const run = { data, clean, ensemble: { embed }, scoring };
    const nmi = async (more: object) => {
      const protocol = await inductivePart.make({})({ ...run, ...more } as never as ProtocolRun);
      return (await protocol!.attacked!(clean)).inductive!.nmi;
    };
    expect(await nmi({})).toBeCloseTo(1, 10);
    expect(await nmi({ reference: data })).toBe(0);
  });
});

describe('progress of an evaluation', () => {
  it('an attack of three times the steps counts three times in the time that is left', () => {
    let now = 5000;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const told: EvaluationProgress[] = [];
    const plan = (steps: number) => ({ name: `${steps}`, objective: lighter, settings: pgd({ epsilon: 0.1, steps }) });
    const plans = [plan(2), plan(6)];
    const report = progressReporter((progress) => void told.push(progress), plans, 10);
    now += 2000;
    report(plans[0], 10);
    now += 3000;
    report(plans[1], 5);
    // 20 of 80 gradients in 2 s; then 50 of 80 in 5 s.
    expect(told.map(({ done, total }) => [done, total])).toEqual([
      [10, 20],
      [15, 20],
    ]);
    expect(told.map(({ etaSeconds }) => etaSeconds)).toEqual([6, 3]);
    expect(told.map(({ imagesPerSecond }) => imagesPerSecond)).toEqual([5, 3]);
  });
});

describe('suites', () => {
  const names = (name: 'quick' | 'standard' | 'thorough', norm: 'linf' | 'l2' = 'linf') =>
    suite(name, { norm, epsilon: 0.1 }).map((plan) => plan.name);
  const strongest = ['centroid-margin', 'centroid-random-target', 'embedding-shift', 'joint-pairwise'];
  const momentum = (steps: number, temperatures: number[], towards: number[], retrievalSteps = steps) => [
    ...temperatures.map((t) => `mpgd-${steps}/soft-kmeans-${t}`),
    `mpgd-${retrievalSteps}/retrieval`,
    ...towards.map((rank) => `mpgd-${retrievalSteps}/retrieval-${rank}`),
  ];

  it('hold the attacks that the docs name, with their steps', () => {
    const pgds = (steps: number) => [...strongest, 'joint-set', 'proxy'].map((goal) => `pgd-${steps}/${goal}`);
    const rest = (steps: number, queries: number) => [
      ...['fgsm/proxy', `mi-fgsm-${steps}/embedding-shift`, `square-${queries}/centroid-random-target`],
    ];
    expect(names('quick')).toEqual([
      ...momentum(20, [0.05, 0.1], [1, 2], 10),
      ...strongest.map((goal) => `pgd-10/${goal}`),
    ]);
    const apgds = (steps: number) =>
      ['retrieval', 'centroid-random-target', 'joint-set'].map((goal) => `apgd-${steps}/${goal}`);
    const all = [0.05, 0.075, 0.1, 0.2];
    expect(names('standard')).toEqual([
      ...momentum(60, all, [1, 2, 3, 4]),
      ...pgds(20),
      ...apgds(20),
      ...rest(10, 100),
    ]);
    const thorough = [
      ...momentum(100, all, [1, 2, 3, 4]),
      ...pgds(50),
      ...apgds(100),
      'apgd-100/embedding-shift',
      ...rest(20, 1000),
    ];
    expect(names('thorough')).toEqual(thorough);
    expect(names('thorough', 'l2')).toEqual([...thorough, 'cw-50/centroid-margin']);
    const restarts = suite('thorough', { epsilon: 0.1 }).map(({ settings }) => settings.restarts);
    expect(restarts).toEqual([...Array(15).fill(3), ...Array(7).fill(1)]);
  });

  it('try at the temperature that their names have', () => {
    const [cold, warm] = suite('quick', { epsilon: 0.1 }).map(({ objective }) => objective);
    const value = (goal: Objective) =>
      tf.tidy(() => {
        const clean = tf.tensor2d([1, 0, 0.8, 0.6, 0, 1], [3, 2]);
        const centroids = tf.tensor2d([0.9, 0.3, 0, 1], [2, 2]);
        const known = { labels: Int32Array.of(0, 0, 1), centroids, random: randomStream(1) };
        return goal
          .bind({ clean: () => clean, ...known })(clean)
          .dataSync()[0];
      });
    for (const [goal, temperature] of [
      [cold, 0.05],
      [warm, 0.1],
    ] as const) {
      expect(value(goal)).toBe(value(objective('soft-kmeans', { temperature })));
    }
    expect(value(cold)).not.toBe(value(warm));
  });
});
