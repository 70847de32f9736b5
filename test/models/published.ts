import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { bnInception, type ModelSpec, mobilenetV2, resnet18, resnet50 } from '../../src/models/index.js';
import { writeSafetensors } from '../../src/models/safetensors.js';

/**
 * Published networks in float64 by an independent program in PyTorch; weights and images are made by formula
 * (test/goldens/backbones/README.md).
 */
const FOLDER = 'test/goldens/backbones';

type Options = NonNullable<Parameters<typeof resnet18>[0]>;

export const SPECS: Record<string, (options: Options) => ModelSpec> = {
  resnet18,
  resnet50,
  mobilenet_v2: mobilenetV2,
  bn_inception: bnInception,
};

/** The name of a tensor of the classifier, which files hold and embeddings do not. */
const CLASSIFIERS: Record<string, string> = {
  resnet18: 'fc',
  resnet50: 'fc',
  mobilenet_v2: 'classifier.1',
  bn_inception: 'last_linear',
};

export interface Case {
  name: string;
  size: [number, number, number];
  seed: number;
  mode: 'eval' | 'train';
  pool: 'gap' | 'gap+gmp';
  gapFirst: number[][];
  gapL2: number[];
  embedding: number[][];
  loss: number;
  inputGradientL2: number[];
  inputGradientFirst: number[];
  parameterGradientL2?: number[];
  runningL2?: number[];
}

export interface Tensor {
  name: string;
  shape: number[];
  kind: string;
}

export const casesOf = (arch: string): Case[] =>
  JSON.parse(readFileSync(join(FOLDER, `${arch}.json`), 'utf8')).cases as Case[];

/** FNV-1a over UTF-8, and lowbias32 of the place: what the goldens are made of. */
export function fnv(text: string): number {
  return new TextEncoder().encode(text).reduce((h, byte) => Math.imul(h ^ byte, 0x01000193), 0x811c9dc5) >>> 0;
}

export function unit(h: number, i: number): number {
  let x = (h + Math.imul(i, 0x9e3779b9)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return ((x ^ (x >>> 16)) >>> 8) / 2 ** 24;
}

export function valuesOf({ name, shape, kind }: Tensor): Float32Array {
  const size = shape.reduce((a, b) => a * b, 1);
  const scale = Math.fround(Math.sqrt(6 / (size / shape[0])));
  const by: Record<string, (v: number) => number> = {
    weight: (v) => v * scale,
    bias: (v) => v * Math.fround(0.1),
    gamma: (v) => 1 + 0.25 * v,
    gamma_last: (v) => 0.5 + 0.25 * v,
    var: (v) => 1 + 0.5 * v,
  };
  const [h, of] = [fnv(name), by[kind]];
  // 24 million of them for resnet50, where a callback of `from` would take a second more.
  const made = new Float32Array(size);
  for (let i = 0; i < size; i++) made[i] = of(2 * unit(h, i) - 1);
  return made;
}

/** Blocks of 8 x 8 pixels under noise, [n, h, w, 3]. */
export function image({ size: [n, h, w], seed }: Pick<Case, 'size' | 'seed'>): tf.Tensor4D {
  const key = `${n}x${h}x${w}#${seed}`;
  const [block, noise] = [fnv(`block:${key}`), fnv(`input:${key}`)];
  const [rows, columns] = [Math.ceil(h / 8), Math.ceil(w / 8)];
  const pixels = Float32Array.from({ length: n * h * w * 3 }, (_, i) => {
    const [c, x, y, a] = [i % 3, Math.floor(i / 3) % w, Math.floor(i / (3 * w)) % h, Math.floor(i / (3 * w * h))];
    const at = ((a * rows + (y >> 3)) * columns + (x >> 3)) * 3 + c;
    return 0.75 * unit(block, at) + 0.25 * unit(noise, i);
  });
  return tf.tensor4d(pixels, [n, h, w, 3]);
}

/** Name, shape and formula of each tensor of the published network but the classifier's and the counters, in order. */
export function tensorsOf(arch: string): Tensor[] {
  const lines = readFileSync(join(FOLDER, `tensors-${arch}.txt`), 'utf8').split('\n');
  const rows = lines.filter((line) => line && !line.startsWith('#')).map((line) => line.split(' '));
  return rows
    .filter(([, , kind]) => kind !== 'count')
    .map(([name, shape, kind]) => ({ name, shape: shape.split('x').map(Number), kind }));
}

/** Those of the head that the goldens put in the classifier's place. */
export const headOf = (arch: string): Tensor[] => [
  { name: 'embedding.weight', shape: [64, FEATURES[arch]], kind: 'weight' },
  { name: 'embedding.bias', shape: [64], kind: 'bias' },
];

export const FEATURES: Record<string, number> = {
  resnet18: 512,
  resnet50: 2048,
  mobilenet_v2: 1280,
  bn_inception: 1024,
};

/** Writes the golden weights as PyTorch would, with a classifier, which is to be left out; without a head unless asked for. */
export function writeWeights(
  path: string,
  arch: string,
  { head = true, rename = (name: string) => name }: { head?: boolean; rename?: (name: string) => string } = {},
): void {
  const tensors = [...tensorsOf(arch), ...(head ? headOf(arch) : [])];
  const classifier = { shape: [2, FEATURES[arch]], values: new Float32Array(2 * FEATURES[arch]) };
  writeFileSync(
    path,
    writeSafetensors([
      ...tensors.map((tensor) => [rename(tensor.name), { shape: tensor.shape, values: valuesOf(tensor) }] as const),
      [rename(`${CLASSIFIERS[arch]}.weight`), classifier] as const,
    ]),
  );
}

/** The Euclidean length of all values, summed in double: what a backend sums in float32 would be measured, too. */
export const lengthOf = (tensor: tf.Tensor): number =>
  Math.sqrt((tensor.dataSync() as Float32Array).reduce((sum, value) => sum + value * value, 0));

/** The goldens of large cases hold the first columns. */
export const worst = (received: tf.Tensor2D, expected: number[][]) =>
  tf.tidy(() => {
    const first = tf.slice(received, [0, 0], [-1, expected[0].length]);
    return tf.max(tf.abs(tf.sub(first, tf.tensor2d(expected)))).dataSync()[0];
  });

/** The goldens' loss: 1/n sum of e[n, j] times numbers that a formula makes. */
export const lossOf = (embeddings: tf.Tensor2D): tf.Scalar =>
  tf.tidy(() => {
    const [n, d] = embeddings.shape;
    const coefficients = Float32Array.from({ length: n * d }, (_, i) => 2 * unit(fnv('loss'), i) - 1);
    return tf.div(tf.sum(tf.mul(embeddings, tf.tensor2d(coefficients, [n, d]))), n) as tf.Scalar;
  });
