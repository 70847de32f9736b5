import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { MetricLoss } from '../../src/losses/index.js';
import { act, adp, dverge, gal, hm, type TrainingStep, trades } from '../../src/training/index.js';
import { toyEmbedder, toyEmbedding } from '../models/toy-embedder.js';

const WEIGHTS = [
  [
    [1, 0],
    [0, 1],
  ],
  [
    [1, 1],
    [-1, 2],
  ],
];
/** Rows are of no unit length: logits are of cosines. */
const PROXIES = [
  [2, 0],
  [0, 0.5],
  [3, 3],
];
const PIXELS = [
  [0.3, 0.7],
  [0.6, 0.5],
  [0.4, 0.8],
];
const MOVED = [
  [0.35, 0.6],
  [0.5, 0.6],
  [0.45, 0.75],
];
const LABELS = [1, 2, 1];
const attack = { epsilon: 0.1, steps: 1 };
const constant = (value: number): MetricLoss => Object.assign(() => tf.scalar(value), { config: { name: 'stub' } });
const images = (rows: number[][]) => tf.tensor4d(rows.flat(), [rows.length, 1, 2, 1]);
const embed = (rows: number[][], member = 0) => rows.map((x) => toyEmbedding(WEIGHTS[member], x));
const gap = (a: number[], b: number[]) => Math.hypot(...a.map((x, j) => x - b[j]));
const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const relu = (x: number) => Math.max(0, x);
const indices = (...rows: number[]) => tf.tensor1d(rows, 'int32');

function stepWith(loss: MetricLoss): TrainingStep {
  const members = WEIGHTS.map((weights) => ({
    embedder: toyEmbedder(weights),
    proxies: tf.variable(tf.tensor2d(PROXIES)),
  }));
  const rows = members.map(() => Int32Array.of(0, 1, 2));
  return { members, images: images(PIXELS), labels: Int32Array.from(LABELS), rows, loss, seed: 1, step: 0 };
}

const updateOf = (rows: number[][], loss = constant(3)) => ({
  ...{ step: stepWith(loss), member: 0, images: images(rows), labels: indices(...LABELS) },
});
const numberOf = (t: tf.Tensor) => t.dataSync()[0];

/** softmax of 16 cos(e, p). */
function predictions(rows: number[][], member = 0): number[][] {
  return embed(rows, member).map((e) => {
    const powers = PROXIES.map((p) => Math.exp((16 * (e[0] * p[0] + e[1] * p[1])) / Math.hypot(...p)));
    return powers.map((x) => x / powers.reduce((a, b) => a + b, 0));
  });
}

beforeAll(() => tf.setBackend('cpu'));

it('trades: the loss of clean images plus beta times KL(p(x) || p(x’)) of softmax(16 cos)', () => {
  const [clean, moved] = [predictions(PIXELS), predictions(MOVED)];
  const divergence = mean(clean.map((p, i) => p.reduce((sum, x, c) => sum + x * Math.log(x / moved[i][c]), 0)));
  const other = mean(moved.map((p, i) => p.reduce((sum, x, c) => sum + x * Math.log(x / clean[i][c]), 0)));
  expect(Math.abs(divergence - other)).toBeGreaterThan(0.01);
  const update = { ...updateOf(MOVED), extra: { clean: images(PIXELS) } };
  expect(numberOf(trades({ beta: 2, attack }).memberLoss(update))).toBeCloseTo(3 + 2 * divergence, 4);
  expect(numberOf(trades({ attack }).memberLoss(update))).toBeCloseTo(3 + 6 * divergence, 3);
});

it('adp: the loss less alpha times the entropy of the mean less beta times log det of what is not the class', () => {
  const [a, b] = [predictions(PIXELS, 0), predictions(PIXELS, 1)];
  const entropy = mean(
    a.map((p, i) => -p.reduce((sum, x, c) => sum + ((x + b[i][c]) / 2) * Math.log((x + b[i][c]) / 2), 0)),
  );
  const rest = (p: number[], label: number) => {
    const others = p.map((x, c) => (c === label ? 0 : x));
    return others.map((x) => x / Math.hypot(...others));
  };
  const logDet = mean(
    a.map((p, i) => {
      const [u, v] = [rest(p, LABELS[i]), rest(b[i], LABELS[i])];
      const dot = u.reduce((sum, x, c) => sum + x * v[c], 0);
      return Math.log((1 + 1e-6) ** 2 - dot ** 2);
    }),
  );
  const value = (alpha: number, beta: number) =>
    numberOf(adp({ members: 2, alpha, beta }).memberLoss(updateOf(PIXELS)));
  expect(value(1, 0)).toBeCloseTo(3 - entropy, 4);
  expect(value(0, 1)).toBeCloseTo(3 - logDet, 4);
});

it('dverge: the mean of the losses on the images of every peer', () => {
  const values = [1, 5, 6];
  const loss = Object.assign(() => tf.scalar(values.shift()!), { config: { name: 'stub' } });
  const update = { ...updateOf(PIXELS, loss), extra: { more0: images(MOVED), more1: images(PIXELS) } };
  expect(numberOf(dverge({ members: 2, attack }).memberLoss(update))).toBeCloseTo(4, 6);
});

it('gal: lambda and the members times the alignment, whatever the slope is, whose gradient it has', () => {
  const direction = tf.tensor4d([3, 0, 0, 0, 0, 0], [3, 1, 2, 1]);
  const extra = { alignment: tf.scalar(0.7), direction };
  // A loss that is linear where it is measured, in a factor of the embedding.
  const value = (factor: tf.Tensor) => {
    const loss = Object.assign((e: tf.Tensor2D) => tf.mul(tf.sum(tf.slice(e, [0, 0], [-1, 1])), factor) as tf.Scalar, {
      config: { name: 'stub' },
    });
    return gal({ members: 2, lambda: 0.5 }).memberLoss({ ...updateOf(PIXELS, loss), extra });
  };
  const first = embed(PIXELS).reduce((sum, [x]) => sum + x, 0);
  expect(numberOf(value(tf.scalar(1)))).toBeCloseTo(first + 0.5 * 2 * 0.7, 5);
  // Only the first image moves, there and back, by a mean of 0.01 a pixel over its two: 0.01 √2.
  const h = 0.01 * Math.sqrt(2);
  const [there, back] = [h, -h].map((by) => toyEmbedding(WEIGHTS[0], [PIXELS[0][0] + by, PIXELS[0][1]])[0]);
  const slope = (3 * (there - back)) / (2 * h);
  expect(numberOf(tf.grad(value)(tf.scalar(1)))).toBeCloseTo(first + 0.5 * 2 * slope, 3);
});

describe('triplets', () => {
  const [A, P, N] = [
    [MOVED[0], MOVED[1]],
    [MOVED[2], PIXELS[0]],
    [PIXELS[1], MOVED[2]],
  ];

  it('act: the loss of clean images plus the triplet loss around the clean anchors', () => {
    const [clean, p, n] = [embed(PIXELS), embed(P), embed(N)];
    const update = { ...updateOf(PIXELS), extra: { pairs: images([...P, ...N]), anchors: indices(2, 0) } };
    const triplet = (margin: number) =>
      mean([2, 0].map((a, i) => relu(gap(clean[a], p[i]) - gap(clean[a], n[i]) + margin)));
    for (const margin of [0.2, 0.7]) {
      expect(triplet(margin)).toBeGreaterThan(0);
      expect(numberOf(act({ margin, attack }).memberLoss(update))).toBeCloseTo(3 + triplet(margin), 5);
    }
  });

  it('hm: attacked triplets, and anchors that move no farther from themselves than the positive is', () => {
    const [clean, a, p, n] = [embed(PIXELS), embed(A), embed(P), embed(N)];
    const extra = { triplets: images([...A, ...P, ...N]), anchors: indices(0, 1), positives: indices(2, 0) };
    const triplet = mean([0, 1].map((i) => relu(gap(a[i], p[i]) - gap(a[i], n[i]) + 0.7)));
    const structure = mean([0, 1].map((i) => relu(gap(clean[i], a[i]) - gap(clean[i], clean[[2, 0][i]]))));
    expect(structure).toBeGreaterThan(0);
    const value = (ics: number) =>
      numberOf(hm({ margin: 0.7, ics, attack }).memberLoss({ ...updateOf(PIXELS), extra }));
    expect(value(0)).toBeCloseTo(3 + triplet, 5);
    expect(value(2)).toBeCloseTo(3 + triplet + 2 * structure, 5);
  });

  it('hm: crafts every triplet up to the wanted hardness, minus the previous loss, and none beyond', () => {
    const [margin, wanted] = [0.5, -0.3];
    const hardness = (epsilon: number) => {
      const settings = { epsilon, steps: 80, stepSize: 0.004, randomStart: false, keep: 'best' as const };
      const [crafted] = hm({ margin, attack: settings }).craft({
        ...stepWith(constant(3)),
        labels: Int32Array.of(0, 1, 0),
        memory: [-wanted],
      });
      const rows = tf.reshape(crafted.extra!.triplets, [-1, 2]).arraySync() as number[][];
      const third = rows.length / 3;
      const e = embed(rows);
      return Array.from({ length: third }, (_, i) => gap(e[i], e[i + third]) - gap(e[i], e[i + 2 * third]));
    };
    const [before, after] = [hardness(0), hardness(0.4)];
    expect(Math.min(...before)).toBeLessThan(wanted - 0.05);
    for (const [i, h] of after.entries()) {
      expect(h).toBeGreaterThan(wanted - 0.01);
      expect(h).toBeLessThan(Math.max(before[i], wanted) + 0.03);
    }
  });
});
