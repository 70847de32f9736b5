import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportWeights } from '../../src/checkpoints/index.js';
import { writeNpy } from '../../src/data/index.js';
import { EatDmlError } from '../../src/errors.js';
import { BLOCKS } from '../../src/models/backbones/mobilenet-v2.js';
import { Ensemble, type ImageShape, mobilenetV2 } from '../../src/models/index.js';
import type { Layer } from '../../src/models/layers.js';
import { networkModel } from '../../src/models/network.js';
import { writeSafetensors } from '../../src/models/safetensors.js';
import { survey } from '../../src/models/survey.js';
import { loadWeights } from '../../src/models/weights/load-weights.js';
import { publishedNames, torchName, torchShape, toTorch } from '../../src/models/weights/names.js';
import { readWeights } from '../../src/models/weights/read-weights.js';
import { timmMobilenetV2 } from '../../src/models/weights/timm.js';
import { encodeNpy } from '../../src/npy.js';
import { randomStream } from '../../src/random.js';
import { LONG } from '../long.js';

const GOLDENS = 'test/goldens/safetensors';
let folder: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'eat-dml-weights-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Stored = readonly [name: string, tensor: { shape: readonly number[]; values: Float32Array }];

/** A network of every kind of variable, small. */
const LAYERS: Layer[] = [
  {
    ...{ type: 'conv', name: 'conv1', filters: 4, size: 3, strides: 2, padding: 1, activation: 'relu' },
    norm: { name: 'bn1', momentum: 0.9, epsilon: 1e-5 },
  },
  {
    ...{ type: 'depthwise', name: 'deep.0', size: 3, strides: 1, padding: 1, bias: true },
    norm: { name: 'deep.1', momentum: 0.9, epsilon: 1e-5 },
  },
  { type: 'mean-pool' },
  { type: 'dense', name: 'embedding', units: 3 },
];

const [SHAPE, VARIABLES] = [[8, 8, 3] as ImageShape, survey(LAYERS, [8, 8, 3]).variables];

/** Its tensors as PyTorch has them, each value another. */
function stored(): Stored[] {
  let next = 0;
  return VARIABLES.map(({ name, shape }) => {
    const theirs = torchShape(shape, name.endsWith('depthwise_kernel'));
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => ++next / 100);
    return [torchName(name), { shape: theirs, values }];
  });
}

function fileOf(name: string, tensors: readonly Stored[]): string {
  const path = join(folder, name);
  writeFileSync(path, writeSafetensors(tensors));
  return path;
}

const load = (path: string) => loadWeights(path, 'small', VARIABLES);

function caught(run: () => unknown): EatDmlError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(EatDmlError);
    return error as EatDmlError;
  }
  throw new Error('nothing was thrown');
}

/** Throws unless the file's weights are those of `stored`. */
function checkLoads(path: string): void {
  expect(load(path)).toEqual(load(fileOf('plain.safetensors', stored())));
}

test('values come in the layout of tfjs: [h, w, in, out], [h, w, channels, 1], [in, out]', () => {
  const values = load(fileOf('plain.safetensors', stored()));
  const tensors = new Map(stored());
  const places: [string, number[]][] = [
    ['conv1', [2, 1, 0, 2]],
    ['deep.0', [3, 0, 2, 1]],
    ['embedding', [1, 2, 0, 0]],
  ];
  for (const [layer, [o, i, y, x]] of places) {
    const { shape, values: theirs } = tensors.get(`${layer}.weight`)!;
    const [, inner, , width = 1] = shape;
    const height = shape[2] ?? 1;
    const at = ((o * inner + i) * height + y) * width + x;
    const [name, own] = [...values].find(([name]) => name.startsWith(`${layer}/`) && name.endsWith('kernel'))!;
    const { shape: ours } = VARIABLES.find((variable) => variable.name === name)!;
    const place = layer === 'deep.0' ? [y, x, o, i] : ours.length === 2 ? [i, o] : [y, x, i, o];
    expect(own[place.reduce((sum, position, axis) => sum * ours[axis] + position, 0)], layer).toBe(theirs[at]);
    expect(toTorch(own, ours, layer === 'deep.0')).toEqual(theirs);
  }
});

describe('names', () => {
  test.each(['module.', 'model.', 'backbone.', 'module.model.'])('of every tensor may begin with %s', (wrapper) => {
    checkLoads(
      fileOf(
        'wrapped.safetensors',
        stored().map(([name, tensor]) => [wrapper + name, tensor]),
      ),
    );
  });

  test('may be those of a checkpoint of this package', () => {
    const own = [...load(fileOf('torch.safetensors', stored()))].map(([name, values]): Stored => {
      return [name, { shape: VARIABLES.find((variable) => variable.name === name)!.shape, values }];
    });
    checkLoads(fileOf('own.safetensors', own));
  });

  test('may be timm’s: every one of mobilenetv2_100', () => {
    const rows = readFileSync('test/goldens/backbones/mobilenet_v2-timm-names.txt', 'utf8').trim().split('\n');
    const names = rows.filter((row) => !row.startsWith('#')).map((row) => row.split(' '));
    const published = names.filter(([name]) => !/num_batches|classifier/.test(name));
    const theirs = new Map(names.map(([name, timm]) => [timm, name]));
    expect(publishedNames(theirs, 'x', timmMobilenetV2(BLOCKS))).toEqual(
      new Map(published.map(([name]) => [name, name])),
    );
  });

  test('that come to one name are refused: wrapped twice over, beside timm’s, a block too many', () => {
    const one = () => 1;
    const rename = timmMobilenetV2(BLOCKS);
    const names = (...keys: string[]) => publishedNames(new Map(keys.map((key) => [key, one()])), 'x.npz', rename);
    expect(() => names('conv_stem.weight', 'features.0.0.weight')).toThrow(
      'Expected one tensor for features.0.0.weight but received two in x.npz.',
    );
    // Of neither is there such a tensor: each keeps its name, and is unexpected.
    expect([...names('conv_stem.weight', 'conv_stem.weight.old', 'blocks.1.2.conv_pw.weight').keys()]).toEqual([
      'features.0.0.weight',
      'conv_stem.weight.old',
      'blocks.1.2.conv_pw.weight',
    ]);
    expect([...names('model.module.a', 'model.module.b').keys()]).toEqual(['a', 'b']);
  });

  test('of our own with a head are no matter to a network without one', () => {
    const own = [...load(fileOf('torch.safetensors', stored()))].map(([name, values]): Stored => {
      return [name, { shape: VARIABLES.find((variable) => variable.name === name)!.shape, values }];
    });
    const trunk = VARIABLES.filter(({ layer }) => layer !== 'embedding');
    expect(loadWeights(fileOf('own.safetensors', own), 'small', trunk).size).toBe(trunk.length);
  });

  test('of a head may be missing: it is then drawn', () => {
    const path = fileOf('headless.safetensors', stored().slice(0, -2));
    const [one, other] = [1, 2].map((seed) => networkModel('small', {}, LAYERS, { weights: path }).build(SHAPE, seed));
    const differ = [...one.weights].filter(([name, variable]) =>
      tf.tidy(() => tf.max(tf.abs(tf.sub(variable, other.weights.get(name)!))).dataSync()[0] > 0),
    );
    expect(differ.map(([name]) => name)).toEqual(['embedding/kernel']);
    one.dispose();
    other.dispose();
  });

  test('of a head are no matter to a network without one, nor is a classifier', () => {
    const classifier = ['fc.weight', { shape: [2], values: Float32Array.of(1, 2) }] as const;
    const counter = ['bn1.num_batches_tracked', { shape: [], values: Float32Array.of(1) }] as const;
    const path = fileOf('more.safetensors', [...stored(), classifier, counter]);
    const trunk = VARIABLES.filter(({ layer }) => layer !== 'embedding');
    expect([...loadWeights(path, 'small', trunk).keys()]).toEqual(trunk.map(({ name }) => name));
    checkLoads(path);
  });
});

describe('a file that does not fit says how', () => {
  test('one key renamed', () => {
    const renamed = stored().map(([name, tensor]): Stored => [name.replace('bn1.', 'bnX.'), tensor]);
    const path = fileOf('renamed.safetensors', renamed);
    const ends = ['weight', 'bias', 'running_mean', 'running_var'];
    const [missing, unexpected] = ['bn1', 'bnX'].map((layer) => ends.map((end) => `${layer}.${end}`).join(', '));
    expect(caught(() => load(path)).message).toBe(
      `Expected the weights of small in ${path} but received others: missing ${missing}; unexpected ${unexpected}.`,
    );
  });

  test('another shape, and the head of another dimension', () => {
    const wide = stored().map(([name, { shape, values }]): Stored => {
      if (name === 'conv1.weight') return [name, { shape: [4, 3, 9], values }];
      return [name, name.startsWith('embedding') ? { shape: [1], values: values.slice(0, 1) } : { shape, values }];
    });
    expect(caught(() => load(fileOf('wide.safetensors', wide))).message).toContain(
      'misshapen conv1.weight [4, 3, 9] for [4, 3, 3, 3], embedding.weight [1] for [3, 4], embedding.bias [1] for [3].',
    );
  });

  test('another network: all of it, in the hint', () => {
    const path = fileOf('small.safetensors', stored());
    const { message, hint } = caught(() => mobilenetV2({ weights: path }).build([32, 32, 3], 1));
    expect(message).toMatch(/missing features\.0\.0\.weight, .* and \d+ more; unexpected conv1\.weight, .* more/);
    expect(hint).toContain('features.18.1.running_var');
  });

  test('half a head', () => {
    const half = stored().filter(([name]) => name !== 'embedding.bias');
    expect(caught(() => load(fileOf('half.safetensors', half))).message).toContain('others: missing embedding.bias.');
  });

  test('a weight that is not finite', () => {
    const nan = stored();
    nan[3][1].values[1] = Number.NaN;
    const { code, message } = caught(() => load(fileOf('nan.safetensors', nan)));
    expect([code, message]).toEqual([
      'ERR_NOT_FINITE',
      `Expected finite weights but received NaN in ${nan[3][0]} of ${join(folder, 'nan.safetensors')}.`,
    ]);
  });

  test('no file, a folder, a pickle, another kind', () => {
    expect(caught(() => load(join(folder, 'none.safetensors'))).code).toBe('ERR_PATH');
    expect(caught(() => readWeights(`${folder}/.npz`).tensors).code).toBe('ERR_PATH');
    const pickle = caught(() => load('resnet50-0676ba61.pth'));
    expect(pickle.code).toBe('ERR_DATA');
    expect(pickle.hint).toContain('torch.load');
    expect(caught(() => load('weights.h5')).hint).toBeUndefined();
  });

  test.each([
    '__proto__',
    'duplicate-key',
    'header-too-long',
    'not-json',
    'offset-past-end',
    'overlap',
    'shape-does-not-match-bytes',
    'shape-overflow',
    'short',
    'truncated',
    'unknown-dtype',
  ])('%s.safetensors', (name) => {
    const { code, message } = caught(() => load(join(GOLDENS, 'bad', `${name}.safetensors`)));
    expect(code).toBe('ERR_DATA');
    expect(message).toMatch(/^Expected .*\.safetensors to be a sound \.safetensors file but .*\.$/);
  });
});

test('a file says what it was trained with: another pooling or preprocessing is refused', async () => {
  const [first, second] = ['first', 'second'].map((name) => join(folder, name));
  const trained = mobilenetV2({ dimension: 2, pooling: 'gap+gmp' }).build([32, 32, 3], 1);
  const [weights] = await exportWeights(new Ensemble([trained]), first);
  trained.dispose();
  const build = (options: object) => mobilenetV2({ dimension: 2, weights, ...options }).build([32, 32, 3], 1);
  expect(caught(() => build({})).message).toBe(
    `Expected weights of a network with the pooling gap but received those of one with gap+gmp in ${weights}.`,
  );
  const other = { pooling: 'gap+gmp', preprocessing: 'none' } as const;
  expect(caught(() => build(other)).message).toContain('the preprocessing none but');
  const again = build({ pooling: 'gap+gmp' });
  await exportWeights(new Ensemble([again]), second);
  again.dispose();
  // A comparison element by element would take minutes.
  expect(readFileSync(join(second, 'member-0.safetensors')).equals(readFileSync(weights))).toBe(true);
});

test('a .npz that holds a name twice is refused', () => {
  const bytes = Buffer.from(
    zipSync({ 'a.npy': encodeNpy([1], Float32Array.of(1)), 'b.npy': encodeNpy([1], Float32Array.of(2)) }),
  );
  for (let at = bytes.indexOf('b.npy'); at >= 0; at = bytes.indexOf('b.npy')) bytes.write('a.npy', at);
  const path = join(folder, 'twice.npz');
  writeFileSync(path, bytes);
  expect(caught(() => readWeights(path).tensors).message).toBe(
    `Expected arrays of different names but received "a.npy" twice in ${path}.`,
  );
  for (let at = bytes.indexOf('a.npy'); at >= 0; at = bytes.indexOf('a.npy')) bytes.write('b.txt', at);
  writeFileSync(path, bytes);
  expect(caught(() => readWeights(path)).message).toContain('received "b.txt" twice');
});

describe('values', () => {
  const expected = JSON.parse(readFileSync(join(GOLDENS, 'expected.json'), 'utf8')).tensors;

  test.each(['conv1.weight', 'bn1.weight', 'half', 'bfloat', 'double', 'näme/✓'])(
    '%s of a file by another program',
    (name) => {
      const tensor = readWeights(join(GOLDENS, 'tiny.safetensors')).tensors.get(name)!;
      expect(tensor.shape).toEqual(expected[name].shape);
      expect([...tensor.values!()]).toEqual(expected[name].values.map(Math.fround));
    },
  );

  test('of integers are no weights', () => {
    const tensors = readWeights(join(GOLDENS, 'tiny.safetensors')).tensors;
    for (const name of ['bytes', 'flag', 'bn1.num_batches_tracked']) expect(tensors.get(name)!.values).toBeUndefined();
  });

  test.each(['stored.npz', 'deflated.npz'])('%s of another program', (file) => {
    const { values } = readWeights(join(GOLDENS, file)).tensors.get('conv1.weight')!;
    expect([...values!()]).toEqual(expected['conv1.weight'].values.map(Math.fround));
  });

  test('a .npz of numpy’s arrays loads a network', async () => {
    const files: Record<string, Uint8Array> = {};
    for (const [name, { shape, values }] of stored()) {
      const path = join(folder, 'one.npy');
      await writeNpy(path, { shape, data: values });
      files[`${name}.npy`] = readFileSync(path);
    }
    const path = join(folder, 'all.npz');
    writeFileSync(path, zipSync(files, { level: 0 }));
    checkLoads(path);
  });

  test('vectors may be rows, as in BN-Inception’s published file', () => {
    const rows = stored().map(([name, { shape, values }]): Stored => {
      return [name, { shape: shape.length === 1 ? [1, ...shape] : shape, values }];
    });
    checkLoads(fileOf('rows.safetensors', rows));
  });
});

test('a damaged file is one clear error, or other values', () => {
  const random = randomStream(1, 'mutations');
  const kinds = ['tiny.safetensors', 'deflated.npz', 'stored.npz'];
  for (let i = 0; i < (LONG ? 2000 : 150); i++) {
    const name = kinds[i % kinds.length];
    const bytes = readFileSync(join(GOLDENS, name));
    for (let j = random.integer(4); j >= 0; j--) bytes[random.integer(bytes.length)] = random.integer(256);
    const cut = random.integer(3) === 0 ? bytes.subarray(0, random.integer(bytes.length)) : bytes;
    const path = join(folder, name);
    writeFileSync(path, cut);
    try {
      for (const { values } of readWeights(path).tensors.values()) values?.();
    } catch (error) {
      expect(error, `${name}, mutation ${i}`).toBeInstanceOf(EatDmlError);
      expect((error as Error).message).toContain(path);
    }
  }
  copyFileSync(join(GOLDENS, kinds[0]), join(folder, kinds[0]));
  expect(readWeights(join(folder, kinds[0])).tensors.size).toBe(10);
});
