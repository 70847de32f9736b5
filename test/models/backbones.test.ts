import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mobilenetV2 } from '../../src/models/backbones/mobilenet-v2.js';
import { resnet } from '../../src/models/backbones/resnet.js';
import type { Embedder, ModelSpec } from '../../src/models/index.js';
import { foldedPass, trainingPass } from '../../src/models/passes.js';
import { toLayersModel } from '../../src/models/tfjs-layers.js';
import { unitRows } from '../../src/tfjs/index.js';
import { availableBackends } from './backends.js';

/**
 * Names, shapes and embeddings of torchvision's networks in float64, by an independent program in PyTorch; weights and images
 * are made by formula (test/goldens/backbones/README.md).
 */
const FOLDER = 'test/goldens/backbones';
const SPECS: Record<string, (embedding: number) => ModelSpec> = {
  resnet18: (embedding) => resnet({ embedding, depth: 18 }),
  resnet50: (embedding) => resnet({ embedding, depth: 50 }),
  mobilenet_v2: (embedding) => mobilenetV2({ embedding }),
};

interface Golden {
  preprocess: { scale: number; mean: number[]; std: number[] };
  cases: {
    name: string;
    size: [number, number, number];
    seed: number;
    mode: string;
    pool: string;
    embedding: number[][];
    inputGradientL2: number[];
  }[];
}

const golden = (arch: string): Golden => JSON.parse(readFileSync(join(FOLDER, `${arch}.json`), 'utf8'));

/** FNV-1a over UTF-8, and lowbias32 of the place: what the goldens are made of. */
function fnv(text: string): number {
  return new TextEncoder().encode(text).reduce((h, byte) => Math.imul(h ^ byte, 0x01000193), 0x811c9dc5) >>> 0;
}

function unit(h: number, i: number): number {
  let x = (h + Math.imul(i, 0x9e3779b9)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return ((x ^ (x >>> 16)) >>> 8) / 2 ** 24;
}

function values(name: string, shape: number[], kind: string): Float32Array {
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

/** The values of the network that is looked at: its cases have the same. */
const kept = new Map<string, Float32Array>();

function keptValues(name: string, shape: number[], kind: string): Float32Array {
  const key = `${name} ${shape} ${kind}`;
  const there = kept.get(key) ?? values(name, shape, kind);
  kept.set(key, there);
  return there;
}

/** Blocks of 8 x 8 pixels under noise. */
function image([n, h, w]: [number, number, number], seed: number): tf.Tensor4D {
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

/** PyTorch's name of a variable of ours. */
const torchName = (name: string) =>
  name
    .replace(/\/(kernel|depthwise_kernel|gamma)$/, '.weight')
    .replace(/\/(bias|beta)$/, '.bias')
    .replace('/moving_mean', '.running_mean')
    .replace('/moving_variance', '.running_var');

/** Name, shape and formula of each tensor of the published network but the classifier; `embedding` takes its place. */
function published(arch: string): Map<string, { shape: number[]; kind: string }> {
  const lines = readFileSync(join(FOLDER, `tensors-${arch}.txt`), 'utf8').split('\n');
  const rows = lines.filter((line) => line && !line.startsWith('#')).map((line) => line.split(' '));
  const tensors = rows.filter(([, , kind]) => kind !== 'count');
  return new Map(tensors.map(([name, shape, kind]) => [name, { shape: shape.split('x').map(Number), kind }]));
}

/** PyTorch's layouts, [out, in, h, w] and [out, in], as tfjs has them. */
function fill(variable: tf.Variable, name: string, shape: number[], kind: string): void {
  tf.tidy(() => {
    const given = tf.tensor(keptValues(name, shape, kind), shape);
    const order = { 4: variable.shape[3] === 1 ? [2, 3, 0, 1] : [2, 3, 1, 0], 2: [1, 0] }[shape.length];
    variable.assign(order ? tf.transpose(given, order) : given);
  });
}

function fillAll(embedder: Embedder, arch: string): void {
  const tensors = published(arch);
  for (const [name, variable] of embedder.weights) {
    const known = tensors.get(torchName(name));
    if (known) fill(variable, torchName(name), known.shape, known.kind);
  }
  const [kernel, bias] = ['kernel', 'bias'].map((end) => embedder.weights.get(`embedding/${end}`)!);
  fill(kernel, 'embedding.weight', [...kernel.shape].reverse(), 'weight');
  fill(bias, 'embedding.bias', [64], 'bias');
}

/** The goldens of large cases hold the first columns. */
const worst = (received: tf.Tensor2D, expected: number[][]) =>
  tf.tidy(() => {
    const first = tf.slice(received, [0, 0], [-1, expected[0].length]);
    return tf.max(tf.abs(tf.sub(first, tf.tensor2d(expected)))).dataSync()[0];
  });

test.each(Object.keys(SPECS))('%s has the variables of the published network, and an embedding', (arch) => {
  const names = [...SPECS[arch](8).weightShapes!([32, 32, 3]).keys()].map(torchName);
  expect(names.slice(-2)).toEqual(['embedding.weight', 'embedding.bias']);
  expect(new Set(names.slice(0, -2))).toEqual(new Set(published(arch).keys()));
});

/** One backend, and none on which this takes minutes: what a backend makes of a layer is tested elsewhere. */
const backends = (await availableBackends()).filter((name) => name === 'native').slice(0, 1);
const runs = backends.flatMap((name) => Object.keys(SPECS).map((arch) => [arch, name]));

const normalised = (arch: string, { size, seed }: Golden['cases'][number]) => {
  const { scale, mean, std } = golden(arch).preprocess;
  return tf.div<tf.Tensor4D>(tf.sub(tf.mul(image(size, seed), scale), mean), std);
};

/** The embedding by maps that a pass over the layers before the pooling makes: some goldens add the maximum to the mean. */
function byMaps(
  pass: typeof foldedPass,
  { layers, weights }: Embedder,
  images: tf.Tensor4D,
  pool: string,
): tf.Tensor2D {
  const maps = pass(layers!.slice(0, -2), weights)(images);
  const mean = tf.mean<tf.Tensor2D>(maps, [1, 2]);
  const pooled = pool === 'gap' ? mean : tf.add<tf.Tensor2D>(mean, tf.max(maps, [1, 2]));
  const [kernel, bias] = ['kernel', 'bias'].map((end) => weights.get(`embedding/${end}`)!);
  return unitRows(tf.add(tf.matMul(pooled, kernel as tf.Tensor as tf.Tensor2D), bias));
}

describe.each(runs)('%s on %s', (arch, backend) => {
  const { cases } = golden(arch);
  let embedder: Embedder;
  let before: number;

  // Once, as its start draws 24 million numbers; the layers take images of every size.
  beforeAll(async () => {
    await tf.setBackend(backend);
    before = tf.memory().numTensors;
    embedder = SPECS[arch](64).build(cases[0].size.slice(1).concat(3) as [number, number, number], 1);
  });
  afterAll(() => {
    kept.clear();
    embedder.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each(cases.filter(({ size }) => size[1] < 200).map((one) => [one.name, one] as const))(
    '%s: the embeddings of PyTorch',
    (_, one) => {
      const held = tf.memory().numTensors;
      expect(SPECS[arch](64).weightShapes!([one.size[1], one.size[2], 3])).toEqual(
        new Map([...embedder.weights].map(([name, { shape }]) => [name, shape])),
      );
      fillAll(embedder, arch);
      tf.tidy(() => {
        const images = normalised(arch, one);
        const [pass, tolerance] = one.mode === 'train' ? [trainingPass, 5e-4] : [foldedPass, 3e-6];
        expect(worst(byMaps(pass, embedder, images, one.pool), one.embedding)).toBeLessThanOrEqual(tolerance);
        if (one.name !== 'eval-32') return;
        expect(worst(embedder.apply(images), one.embedding)).toBeLessThanOrEqual(3e-6);
        expect(worst(embedder.apply.frozen!().apply(images), one.embedding)).toBeLessThanOrEqual(3e-6);
        const coefficients = tf.tensor2d(
          Float32Array.from({ length: 128 }, (_, i) => 2 * unit(fnv('loss'), i) - 1),
          [2, 64],
        );
        const lossOf = (x: tf.Tensor) =>
          tf.sum(tf.mul(embedder.apply.frozen!().apply(x as tf.Tensor4D), tf.div(coefficients, 2)));
        const gradient = tf.grad((x) =>
          lossOf(tf.div(tf.sub(x, golden(arch).preprocess.mean), golden(arch).preprocess.std)),
        )(image(one.size, one.seed));
        const lengths = tf.sqrt(tf.sum(tf.square(gradient), [1, 2, 3])).dataSync();
        one.inputGradientL2.forEach((length, i) => {
          expect(Math.abs(lengths[i] / length - 1)).toBeLessThanOrEqual(1e-5);
        });
      });
      expect(tf.memory().numTensors).toBe(held);
    },
  );

  test('the exported layers give the same embeddings', () => {
    const held = tf.memory().numTensors;
    const [one] = cases;
    fillAll(embedder, arch);
    const layers = toLayersModel([embedder]);
    tf.tidy(() => {
      expect(worst(layers.predict(normalised(arch, one)) as tf.Tensor2D, one.embedding)).toBeLessThan(1e-5);
    });
    layers.dispose();
    expect(tf.memory().numTensors).toBe(held);
  });
});
