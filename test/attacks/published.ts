import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type AttackSettings, type Objective, runAttack } from '../../src/attacks/index.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { backends } from '../tfjs/backends.js';

/** Values of the authors' own code: test/goldens/attacks/README.md. */
export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../goldens/attacks/${name}.json`, import.meta.url), 'utf8')) as T;
}

/** A block on tfjs's own backend in JavaScript and on the addon's; skipped, and shown as skipped, where there is none. */
export function describePublished(name: string, body: () => void): void {
  for (const backend of ['cpu', 'native'] as const) {
    const block = backends.includes(backend) ? describe : describe.skip;
    block(`${name}, ${backend}`, () => {
      beforeAll(async () => void (await chooseBackend({ backend })));
      afterAll(() => tf.setBackend('cpu'));
      body();
    });
  }
}

export type Shape = readonly [h: number, w: number, c: number];

/** Image i has clip(middle + swing sin(first + i h w c + k)) at place k. */
export function waveImages(count: number, [h, w, c]: Shape, { middle = 0.5, swing = 0.3, first = 1 } = {}): number[][] {
  const size = h * w * c;
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: size }, (_, k) => clip(middle + swing * Math.sin(first + i * size + k))),
  );
}

/** A start beside each image, epsilon / 8 away at most. */
export function besideImages(images: number[][], epsilon: number): number[][] {
  return images.map((x, i) => x.map((v, k) => clip(v + (epsilon / 8) * Math.cos(3 + 2 * (i * x.length + k)))));
}

const clip = (v: number) => Math.min(Math.max(v, 0), 1);

export const matrix = (rows: number, cols: number, at: (a: number, b: number) => number) =>
  Array.from({ length: rows }, (_, a) => Array.from({ length: cols }, (_, b) => at(a, b)));

/** Logits of a network of 8 tanh: tanh((x - 0.5) W1 + b1) W2; `shift` is added inside the sine of W1. */
export function mlp(inputs: number, { gain = 0.6, shift = 0 } = {}) {
  const [w1, w2] = [
    matrix(inputs, 8, (a, b) => gain * Math.sin(1 + 2 * a + 3 * b + a * b + shift)),
    matrix(8, 3, (a, b) => Math.cos(2 + a + 5 * b + 2 * a * b)),
  ];
  const b1 = Array.from({ length: 8 }, (_, b) => 0.1 * Math.cos(b));
  return (x: tf.Tensor): tf.Tensor2D => {
    const rows = tf.sub<tf.Tensor2D>(tf.reshape(x, [-1, inputs]), 0.5);
    return tf.matMul(tf.tanh(tf.add(tf.matMul(rows, tf.tensor2d(w1)), tf.tensor1d(b1))), tf.tensor2d(w2));
  };
}

/** (x - 0.5) W scaled to length 1, four values to four. */
export function linear(x: tf.Tensor): tf.Tensor2D {
  const w = tf.tensor2d(matrix(4, 4, (a, b) => Math.sin(1 + 2 * a + 3 * b + a * b)));
  const rows = tf.matMul(tf.sub<tf.Tensor2D>(tf.reshape(x, [-1, 4]), 0.5), w);
  return tf.div(rows, tf.norm(rows, 2, 1, true));
}

export const tensorOfImages = (images: number[][], [h, w, c]: Shape) =>
  tf.tensor4d(images.flat(), [images.length, h, w, c]);

/** Minus the log of the label's softmax, per sample. */
export function crossEntropy(labels: number[]) {
  return (logits: tf.Tensor2D): tf.Tensor1D => {
    const own = tf.oneHot(tf.tensor1d(labels, 'int32'), logits.shape[1]);
    return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), own), 1));
  };
}

interface Watched {
  images: number[][];
  shape: Shape;
  model?: (x: tf.Tensor4D) => tf.Tensor2D;
  value: (e: tf.Tensor2D) => tf.Tensor1D;
  settings: AttackSettings;
  start?: number[][];
  name?: string;
}

/** Runs an attack; what it looked at, [calls][n][values], the objective there, and what it returned. */
export function watch({ images, shape, model, value, settings, start }: Watched) {
  const points: number[][][] = [];
  const values: number[][] = [];
  const apply = (x: tf.Tensor4D) => {
    points.push(rowsOf(x));
    return model ? model(x) : (tf.reshape(x, [x.shape[0], -1]) as tf.Tensor2D);
  };
  const objective: Objective = {
    ...{ name: 'published', joint: false, flatAtStart: false },
    bind: () => (e) => {
      const of = value(e);
      values.push(Array.from(of.dataSync()));
      return of;
    },
  };
  const result = tf.tidy(() => {
    const at = (rows: number[][]) => tensorOfImages(rows, shape);
    const run = { model: { apply }, images: at(images), objective, settings, seed: 1 };
    return rowsOf(runAttack(start ? { ...run, start: at(start) } : run));
  });
  return { points, values, result };
}

export function rowsOf(x: tf.Tensor): number[][] {
  return tf.tidy(() => tf.reshape(x, [x.shape[0], -1]).arraySync() as number[][]);
}

/** The largest difference of two equally long lists, however deep. */
export function gap(actual: unknown, expected: unknown): number {
  const [a, b] = [actual, expected].map((list) => [list].flat(5) as number[]);
  expect(a.length).toBe(b.length);
  return a.reduce((most, v, i) => Math.max(most, Number.isFinite(v) ? Math.abs(v - b[i]) : Infinity), 0);
}
