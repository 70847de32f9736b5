import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { evaluate } from '../../src/evaluation/index.js';
import { type Embedder, Ensemble, type ImageShape } from '../../src/models/index.js';
import { toLayersModel } from '../../src/models/tfjs-layers.js';
import { torchName } from '../../src/models/weights/names.js';
import { train } from '../../src/training/index.js';
import { LONG } from '../long.js';
import { availableBackends } from './backends.js';
import {
  type Case,
  casesOf,
  FEATURES,
  headOf,
  image,
  lengthOf,
  lossOf,
  SPECS,
  tensorsOf,
  worst,
  writeWeights,
} from './published.js';
import { tinyImages } from './tiny-images.js';

/** Of a train-mode case: batch statistics of four images amplify what float32 rounds. */
const TRAINED: Record<string, number> = { mobilenet_v2: 5e-4 };

/** Each backend in the long form; what a backend makes of a layer is tested elsewhere, too. */
const backends = (await availableBackends()).filter((name) => LONG || name === 'native');
/** In the short form the two whose layers are of every kind. */
const archs = Object.keys(SPECS).filter((arch) => LONG || arch === 'mobilenet_v2' || arch === 'bn_inception');
/** On plain JavaScript, where a step takes a minute, one. */
const archsOn = (name: string) => archs.filter((arch) => name !== 'cpu' || arch === 'mobilenet_v2');
const runs = backends.flatMap((name) => archsOn(name).map((arch) => [arch, name]));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'eat-dml-backbones-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const weightsOf = (arch: string) => join(folder, `${arch}.safetensors`);
const shapeOf = ({ size: [, h, w] }: Case): ImageShape => [h, w, 3];

test.each(Object.keys(SPECS))('%s has the variables of the published network, and an embedding', (arch) => {
  const names = [...SPECS[arch]({ dimension: 8 }).weightShapes!([32, 32, 3]).keys()].map(torchName);
  expect(names.slice(-2)).toEqual(['embedding.weight', 'embedding.bias']);
  expect(new Set(names.slice(0, -2))).toEqual(new Set(tensorsOf(arch).map(({ name }) => name)));
});

test('features that are not of unit length are neither trained nor evaluated', async () => {
  const model = SPECS.mobilenet_v2({ head: 'none' });
  const data = tinyImages({ size: 32, channels: 3 });
  const sentence = /^Expected embeddings of unit length from .* but received its features\.$/;
  await expect(train({ data, model, epochs: 1 })).rejects.toThrow(sentence);
  const ensemble = new Ensemble([model.build([32, 32, 3], 1)]);
  await expect(evaluate(ensemble, data)).rejects.toThrow(sentence);
  ensemble.dispose();
});

test.each([75, 91])('BN-Inception refuses images of %i pixels, whose maps do not fit', (side) => {
  expect(() => SPECS.bn_inception({}).build([side, side, 3], 1)).toThrow(
    /^Expected images of another size: .* maps of /,
  );
});

test.each([64, 96, 99, 224, 227, 256])('BN-Inception takes images of %i pixels', (side) => {
  expect(SPECS.bn_inception({}).weightShapes!([side, side, 3]).size).toBe(69 * 6 + 2);
});

describe.each(runs)('%s on %s', (arch, backend) => {
  const cases = casesOf(arch);
  const [small] = cases;
  let before: number;
  const build = ({ pool, ...one }: Case, more: object = {}) =>
    SPECS[arch]({ dimension: 64, pooling: pool, weights: weightsOf(arch), ...more }).build(
      shapeOf({ pool, ...one }),
      1,
    );
  const using = async <T>(embedder: Embedder, run: (embedder: Embedder) => T) => {
    try {
      return tf.tidy(() => run(embedder) as never) as T;
    } finally {
      embedder.dispose();
    }
  };

  beforeAll(async () => {
    writeWeights(weightsOf(arch), arch);
    await tf.setBackend(backend);
    before = tf.memory().numTensors;
  });
  afterAll(() => {
    rmSync(weightsOf(arch));
    expect(tf.memory().numTensors).toBe(before);
  });

  // On cpu and wasm a ResNet-50 at 224 pixels takes minutes.
  const large = LONG && (backend === 'native' || backend === 'tensorflow');
  const evaluated = cases.filter(({ mode, size }) => mode === 'eval' && (large || size[1] < 200));
  test.each(evaluated.map((one) => [one.name, one] as const))('%s: the embeddings of PyTorch', (_, one) =>
    using(build(one), (embedder) => {
      expect(worst(embedder.apply(image(one)), one.embedding)).toBeLessThanOrEqual(3e-6);
      expect(worst(embedder.apply.frozen!().apply(image(one)), one.embedding)).toBeLessThanOrEqual(3e-6);
    }),
  );

  test('train-96: the embeddings of PyTorch, and its running statistics after the step', () => {
    const one = cases.find(({ mode }) => mode === 'train')!;
    return using(build(one), (embedder) => {
      expect(worst(embedder.apply(image(one), true), one.embedding)).toBeLessThanOrEqual(TRAINED[arch] ?? 2e-4);
      const running = tensorsOf(arch).filter(({ name }) => name.includes('.running_'));
      const byName = new Map([...embedder.weights].map(([name, variable]) => [torchName(name), variable]));
      expect(one.runningL2).toHaveLength(running.length);
      one.runningL2!.forEach((length, i) => {
        const own = lengthOf(byName.get(running[i].name)!);
        expect(Math.abs(own / length - 1), running[i].name).toBeLessThanOrEqual(1e-4);
      });
    });
  });

  test('eval-32: its loss, and its gradients by the images and by every variable', () =>
    using(build(small), (embedder) => {
      const inputs = [embedder.apply, embedder.apply.frozen!().apply].map((pass) =>
        tf.valueAndGrad((x) => lossOf(pass(x as tf.Tensor4D)))(image(small)),
      );
      for (const { value, grad } of inputs) {
        expect(Math.abs((value as tf.Scalar).dataSync()[0] - small.loss)).toBeLessThanOrEqual(1e-5);
        const lengths = tf.unstack(grad).map(lengthOf);
        small.inputGradientL2.forEach((length, i) => {
          expect(Math.abs(lengths[i] / length - 1)).toBeLessThanOrEqual(1e-5);
        });
      }
      const { grads } = tf.variableGrads(() => lossOf(embedder.apply(image(small))), embedder.variables());
      const byName = new Map([...embedder.weights].map(([name, variable]) => [torchName(name), variable.name]));
      const learnt = [...tensorsOf(arch), ...headOf(arch)].filter(({ name }) => !name.includes('.running_'));
      const expected = small.parameterGradientL2!;
      expect(expected).toHaveLength(learnt.length);
      const largest = expected.reduce((a, b) => Math.max(a, b));
      expected.forEach((length, i) => {
        const own = lengthOf(grads[byName.get(learnt[i].name)!]);
        expect(Math.abs(own - length), learnt[i].name).toBeLessThanOrEqual(1e-5 * Math.max(length, 0.05 * largest));
      });
    }));

  test('without a head it gives the pooled features as they are', () =>
    using(build(small, { head: 'none' }), (embedder) => {
      expect(embedder.embedding).toBe(FEATURES[arch]);
      const features = embedder.apply(image(small));
      const lengths = tf.unstack(features).map(lengthOf);
      small.gapL2.forEach((length, i) => {
        expect(Math.abs(lengths[i] / length - 1)).toBeLessThanOrEqual(1e-5);
      });
      expect(worst(features, small.gapFirst) / Math.max(...small.gapL2)).toBeLessThanOrEqual(1e-5);
    }));

  test('frozen normalisation is the same in training, learns no scale and moves nothing', () =>
    using(build(small, { frozenBatchNorm: true }), (embedder) => {
      expect(worst(embedder.apply(image(small), true), small.embedding)).toBeLessThanOrEqual(3e-6);
      const names = new Map([...embedder.weights].map(([name, { id }]) => [id, name]));
      expect(embedder.variables().map(({ id }) => names.get(id)!.split('/')[1])).not.toContain('gamma');
      const { grads } = tf.variableGrads(() => lossOf(embedder.apply(image(small), true)), embedder.variables());
      expect(Object.keys(grads)).toHaveLength(embedder.variables().length);
    }));

  test('the exported layers give the same embeddings', () =>
    using(build(small), (embedder) => {
      const layers = toLayersModel([embedder]);
      expect(worst(layers.predict(image(small)) as tf.Tensor2D, small.embedding)).toBeLessThan(1e-5);
      layers.dispose();
    }));
});
