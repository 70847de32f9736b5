import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Objective, objective, type RankingName, rankingObjective } from '../../src/attacks/index.js';
import { randomStream } from '../../src/random.js';

/** Of robust models: every embedding in a small part of the sphere, classes closer still. */
const SPREAD = 1e-3;
const [N, D, CLASSES] = [12, 8, 3];
const random = randomStream(6, 'compressed');
const labels = Int32Array.from({ length: N }, (_, i) => i % CLASSES);

type Rows = number[][];
const dot = (a: number[], b: number[]) => a.reduce((sum, x, j) => sum + x * b[j], 0);
const squared = (a: number[], b: number[]) => a.reduce((sum, x, j) => sum + (x - b[j]) ** 2, 0);

function unitRows(centre: number[]): Rows {
  return Array.from(labels, (label) => {
    const row = centre.map((x, j) => x + SPREAD * (random.normal() + (j === label ? 2 : 0)));
    return row.map((x) => Math.fround(x / Math.sqrt(dot(row, row))));
  });
}

const centre = Array.from({ length: D }, () => random.normal());
const direction = centre.map((x) => x / Math.sqrt(dot(centre, centre)));
const [clean, moved] = [unitRows(direction), unitRows(direction)];
const centroids = Array.from({ length: CLASSES }, (_, c) => {
  const own = clean.filter((_, i) => labels[i] === c);
  return own[0].map((_, j) => Math.fround(own.reduce((sum, row) => sum + row[j], 0) / own.length));
});
const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const self = Int32Array.from(labels.keys());
const targets = self.map((i) => (i + 4) % N);

/** Each objective's sum, written down from its definition, in double precision. */
const FORMULAS: Record<string, (rows: Rows) => number> = {
  'embedding-shift': (rows) => rows.reduce((sum, row, i) => sum + squared(row, clean[i]), 0),
  'centroid-margin': (rows) =>
    rows.reduce((sum, row, i) => {
      const distances = centroids.map((c) => squared(row, c));
      return sum + distances[labels[i]] - Math.min(...distances.filter((_, c) => c !== labels[i]));
    }, 0),
  'joint-pairwise': jointValue,
  'joint-set': jointValue,
  'QA+': (rows) => rankingValue(rows, (q, t, x) => Math.sqrt(squared(q, t)) - Math.sqrt(squared(q, x))),
  'QA-': (rows) => rankingValue(rows, (q, t, x) => Math.sqrt(squared(q, x)) - Math.sqrt(squared(q, t))),
  'CA+': (rows) => rankingValue(rows, (q, t, x) => Math.sqrt(squared(q, t)) - Math.sqrt(squared(x, t))),
};

function jointValue(rows: Rows): number {
  const to = (i: number, wanted: (j: number) => boolean) =>
    mean(rows.filter((_, j) => j !== i && wanted(j)).map((row) => squared(rows[i], row)));
  return rows.reduce((sum, _, i) => {
    return sum + to(i, (j) => labels[j] === labels[i]) - to(i, (j) => labels[j] !== labels[i]);
  }, 0);
}

function rankingValue(rows: Rows, gap: (q: number[], t: number[], x: number[]) => number): number {
  return rows.reduce((sum, q, i) => sum - mean(clean.map((x) => Math.max(0, gap(q, clean[targets[i]], x)))), 0);
}

/** By central differences in double precision. */
function gradientOf(formula: (rows: Rows) => number, rows: Rows): number[] {
  const h = 1e-6;
  return rows.flatMap((row, i) =>
    row.map((x, j) => {
      const at = (value: number) => formula(rows.map((r, k) => (k === i ? r.with(j, value) : r)));
      return (at(x + h) - at(x - h)) / (2 * h);
    }),
  );
}

/** What the gradient does to an embedding that stays on the sphere: its part along the row moves nothing. */
function acrossRows(gradient: ArrayLike<number>): number[] {
  return moved.flatMap((row, i) => {
    const own = Array.from(row, (_, j) => gradient[i * D + j]);
    const along = dot(own, row) / dot(row, row);
    return own.map((x, j) => x - along * row[j]);
  });
}

beforeAll(() => tf.setBackend('cpu'));

describe.each(Object.keys(FORMULAS))('%s of compressed embeddings', (name) => {
  const ranking = /[+-]$/.test(name);
  const goal: Objective = ranking ? rankingObjective(name as RankingName, targets) : objective(name);

  it('has its value and its gradient to four digits', () => {
    const { value, gradient } = tf.tidy(() => {
      const gallery = { embeddings: tf.tensor2d(clean), labels, self };
      const inputs = { clean: () => tf.tensor2d(clean), labels, centroids: tf.tensor2d(centroids), gallery };
      const bound = goal.bind({ ...inputs, random: randomStream(1) });
      const { value, grad } = tf.valueAndGrad((e) => tf.sum(bound(e as tf.Tensor2D)))(tf.tensor2d(moved));
      return { value: value.dataSync()[0], gradient: Array.from(grad.dataSync()) } as never;
    }) as { value: number; gradient: number[] };
    const formula = FORMULAS[name];
    expect(Math.abs(value / formula(moved) - 1)).toBeLessThan(1e-4);
    const [received, expected] = [acrossRows(gradient), acrossRows(gradientOf(formula, moved))];
    const error = Math.sqrt(squared(received, expected)) / Math.sqrt(dot(expected, expected));
    expect(error).toBeLessThan(1e-3);
  });
});
