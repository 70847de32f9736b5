import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { convEmbedder, type Embedder, fromLayersModel, type ModelSpec } from '../../src/models/index.js';
import { type Method, standard, type TrainOptions, train } from '../../src/training/index.js';
import { tinyImages } from '../models/tiny-images.js';

/** What users bring: objects of classes, networks that do not say their head, data that cannot be learnt from. */
const dir = mkdtempSync(join(tmpdir(), 'eat-dml-own-'));
afterAll(() => rmSync(dir, { recursive: true }));
beforeAll(() => tf.setBackend('cpu'));

const options: TrainOptions = {
  ...{ data: tinyImages({ classes: 6 }), model: convEmbedder({ dimension: 4, width: 2 }) },
  ...{ seed: 1, epochs: 2, batch: { size: 12 }, backend: 'cpu' },
};

/** Its methods lie on the prototype: a spread leaves them behind. */
class OwnMethod implements Method {
  private readonly as = standard();
  readonly config = { name: 'own' };
  readonly members = 1;
  memberData(...args: Parameters<Method['memberData']>) {
    return this.as.memberData(...args);
  }
  craft(...args: Parameters<Method['craft']>) {
    return this.as.craft(...args);
  }
  memberLoss(...args: Parameters<Method['memberLoss']>) {
    return this.as.memberLoss(...args);
  }
}

class OwnEmbedder implements Embedder {
  constructor(private readonly as: Embedder) {}
  get inputShape() {
    return this.as.inputShape;
  }
  get embedding() {
    return this.as.embedding;
  }
  get apply() {
    return this.as.apply;
  }
  get weights() {
    return this.as.weights;
  }
  variables() {
    return this.as.variables();
  }
  head() {
    return this.as.variables().slice(-2);
  }
  dispose() {
    this.as.dispose();
  }
}

test('a method and embedders that are objects of classes are planned, validated, averaged in parts and told of', async () => {
  const { kind, config, build } = convEmbedder({ dimension: 4, width: 2 });
  const model: ModelSpec = { kind, config, build: (shape, seed) => new OwnEmbedder(build(shape, seed)) };
  const epochs: number[] = [];
  const ensemble = await train({
    ...{ ...options, model, method: new OwnMethod(), warmUp: 1, microBatch: 5, validation: { classes: 0.4 } },
    onPlan: () => undefined,
    onEpoch: async ({ epoch, ensemble }) => {
      epochs.push(epoch);
      // Theirs to look at, not to free.
      ensemble.dispose();
    },
  });
  expect(epochs).toEqual([1, 2]);
  expect(ensemble.history.losses.every(Number.isFinite)).toBe(true);
  ensemble.dispose();
});

test('a network that does not say its head has no warm-up, and nothing of it is left', async () => {
  const layers = () =>
    tf.sequential({
      layers: [tf.layers.flatten({ inputShape: [8, 8, 1] }), tf.layers.dense({ units: 3, kernelInitializer: 'ones' })],
    });
  const model: ModelSpec = { kind: 'mine', config: {}, build: () => fromLayersModel(layers()) };
  const before = tf.memory().numTensors;
  await expect(train({ ...options, model, warmUp: 1 })).rejects.toThrow(/without head\(\)/);
  expect(tf.memory().numTensors).toBe(before);
});

test('one class is nothing to learn from, with a validation or without', async () => {
  const before = tf.memory().numTensors;
  const sentence = /^Expected at least two classes to learn from but tiny has 1\.$/;
  await expect(train({ ...options, data: tinyImages({ classes: 1 }) })).rejects.toThrow(sentence);
  await expect(train({ ...options, data: tinyImages({ classes: 2 }), validation: {} })).rejects.toThrow(sentence);
  expect(tf.memory().numTensors).toBe(before);
});
