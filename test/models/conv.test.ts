import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { convEmbedder, type Embedder, Ensemble } from '../../src/models/index.js';
import { toLayersModel } from '../../src/models/tfjs-layers.js';
import { availableBackends } from './backends.js';

const images = (n: number, seed = 1) => tf.randomUniform<tf.Rank.R4>([n, 8, 8, 2], 0, 1, 'float32', seed);
const build = (seed = 3) => convEmbedder({ dimension: 5, width: 2 }).build([8, 8, 2], seed);

function maxDifference(a: tf.Tensor, b: tf.Tensor): number {
  return tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]);
}

beforeAll(() => tf.setBackend('cpu'));

describe('convEmbedder', () => {
  it('gives unit rows of the asked width, for any size and number of channels', () => {
    for (const shape of [
      [8, 8, 2],
      [5, 7, 1],
      [1, 1, 3],
    ] as [number, number, number][]) {
      const model = convEmbedder({ dimension: 6, width: 3 }).build(shape, 1);
      const e = model.apply(tf.randomUniform([4, ...shape]));
      expect(e.shape).toEqual([4, 6]);
      for (const length of tf.norm(e, 2, 1).dataSync()) expect(length).toBeCloseTo(1, 5);
      model.dispose();
    }
  });

  it('is what its tfjs layers compute', () => {
    const model = build();
    const x = images(6);
    model.apply(x, true).dispose();
    const layers = toLayersModel([model]);
    expect(maxDifference(model.apply(x), layers.predict(x) as tf.Tensor2D)).toBeLessThan(1e-5);
    layers.dispose();
    model.dispose();
  });

  it('has no bias in its convolutions and 3x3 filters of width, 2 width and 4 width', () => {
    const model = build();
    const shapes = model.variables().map(({ shape }) => shape.join('x'));
    expect(shapes).toEqual(['3x3x2x2', '2', '2', '3x3x2x4', '4', '4', '3x3x4x8', '8', '8', '8x5', '5']);
    model.dispose();
  });

  it('keeps the size in its first block and halves it in the two others, rounded up', () => {
    const model = convEmbedder({ dimension: 2, width: 1 }).build([9, 6, 1], 1);
    const layers = toLayersModel([model]);
    const convolutions = layers.layers.filter((layer) => layer.getClassName() === 'Conv2D');
    const sizes = convolutions.map(({ outputShape }) => (outputShape as number[]).slice(1));
    expect(sizes).toEqual([
      [9, 6, 1],
      [5, 3, 2],
      [3, 2, 4],
    ]);
    layers.dispose();
    model.dispose();
  });

  it('is the same for the same seed and different for another', () => {
    const [a, b, c] = [build(3), build(3), build(4)];
    const x = images(3);
    expect(maxDifference(a.apply(x), b.apply(x))).toBe(0);
    expect(maxDifference(a.apply(x), c.apply(x))).toBeGreaterThan(1e-2);
    for (const model of [a, b, c]) model.dispose();
  });

  it('moves running statistics in training and only there', () => {
    const model = build();
    const running = () => model.weights.get('norm1/moving_mean')!.dataSync().slice();
    const before = running();
    tf.tidy(() => void model.apply(images(4)));
    tf.tidy(() => void tf.grad((x) => tf.sum(model.apply(x as tf.Tensor4D)))(images(4)));
    expect(running()).toEqual(before);
    tf.tidy(() => void model.apply(images(4), true));
    expect(running()).not.toEqual(before);
    model.dispose();
  });

  it('trains with the statistics of the batch: running ones follow with momentum 0.9', () => {
    const model = build();
    const x = images(4);
    const filter = model.variables()[0] as tf.Tensor as tf.Tensor4D;
    const { mean, variance } = tf.moments(tf.conv2d(x, filter, 1, 'same'), [0, 1, 2]);
    tf.tidy(() => void model.apply(x, true));
    const [runningMean, runningVariance] = ['mean', 'variance'].map((end) => model.weights.get(`norm1/moving_${end}`)!);
    expect(maxDifference(runningMean, tf.mul(mean, 0.1))).toBeLessThan(1e-6);
    expect(maxDifference(runningVariance, tf.add(0.9, tf.mul(variance, 0.1)))).toBeLessThan(1e-6);
    model.dispose();
  });

  it('leaks no tensor', () => {
    const model = build();
    const x = images(4);
    const step = () =>
      tf.tidy(() => {
        tf.variableGrads(() => tf.mean(tf.square(tf.slice(model.apply(x, true), [0, 0], [-1, 1]))), model.variables());
        tf.grad((y) => tf.sum(tf.slice(model.apply(y as tf.Tensor4D), [0, 0], [-1, 1])))(x);
      });
    step();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 5; i++) step();
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
    expect(tf.memory().numTensors).toBeLessThan(before);
  });

  it.each([
    ['width 0', () => convEmbedder({ width: 0 }), /width/],
    ['a broken dimension', () => convEmbedder({ dimension: 1.5 }), /dimension/],
    ['images of another size', () => build().apply(tf.zeros([1, 8, 8, 3])), /\[n, 8, 8, 2\] for images.*8, 8, 3/],
    ['an array', () => build().apply([1] as never), /images/],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringMatching(message) }));
  });
});

for (const backend of await availableBackends()) {
  describe(`gradients of convEmbedder on ${backend}`, () => {
    /** A fixed linear function of the embeddings. */
    const probe = (e: tf.Tensor) => tf.sum(tf.mul(e, tf.tensor2d([[0.3, -1, 0.7, 0.2, 1.1]]))) as tf.Scalar;
    const weightsOf = ({ weights }: Embedder) => [...weights.values()].map((w) => w.dataSync().slice());

    it.each([true, false])('agree with finite differences (training %s)', async (training) => {
      await tf.setBackend(backend);
      const model = build();
      const x = images(4);
      tf.tidy(() => void model.apply(x, true));
      const saved = weightsOf(model);
      const restore = () =>
        tf.tidy(() => {
          for (const [i, w] of [...model.weights.values()].entries()) w.assign(tf.tensor(saved[i], w.shape));
        });
      const { grads } = tf.variableGrads(() => probe(model.apply(x, training)), model.variables());
      for (const variable of model.variables()) {
        restore();
        const gradient = Array.from(grads[variable.name].dataSync());
        const steepest = gradient.reduce((best, g, i) => (Math.abs(g) > Math.abs(gradient[best]) ? i : best), 0);
        const at = variable.dataSync().slice();
        const [above, below] = [5e-3, -5e-3].map((h) =>
          tf.tidy(() => {
            variable.assign(
              tf.tensor(
                at.map((value, i) => (i === steepest ? value + h : value)),
                variable.shape,
              ),
            );
            return probe(model.apply(x, training)).dataSync()[0];
          }),
        );
        const slope = (above - below) / 1e-2;
        expect(Math.abs(slope - gradient[steepest])).toBeLessThan(0.05 * Math.abs(gradient[steepest]) + 5e-3);
      }
      model.dispose();
    });

    it('reach every pixel, the same by the folded inference pass as by its parts', async () => {
      await tf.setBackend(backend);
      const model = build();
      const x = images(4);
      tf.tidy(() => void model.apply(x, true));
      const folded = tf.grad((y) => probe(model.apply(y as tf.Tensor4D)))(x);
      const exported = toLayersModel([model]);
      const layers = tf.grad((y) => probe(exported.apply(y) as tf.Tensor2D))(x);
      exported.dispose();
      expect(maxDifference(folded, layers) / tf.max(tf.abs(layers)).dataSync()[0]).toBeLessThan(1e-4);
      expect(Array.from(folded.dataSync()).filter((g) => g === 0).length).toBeLessThan(folded.size / 4);
      model.dispose();
    });
  });
}

describe('frozen', () => {
  it('gives the very values and image gradients of now, whatever becomes of the weights, and leaks nothing', () => {
    const embedder = convEmbedder({ dimension: 5, width: 2 }).build([7, 6, 2], 3);
    const images = tf.randomUniform<tf.Rank.R4>([3, 7, 6, 2], 0, 1, 'float32', 1);
    const ensemble = new Ensemble([embedder, embedder]);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const of = (model: { apply(x: tf.Tensor4D): tf.Tensor2D }) => {
        const gradient = tf.grad((x) => tf.sum(tf.mul(model.apply(x as tf.Tensor4D), tf.range(0, 10))))(images);
        return [model.apply(images), gradient].map((t) => Array.from(t.dataSync()));
      };
      const frozen = ensemble.apply.frozen!();
      const expected = of(ensemble);
      expect(of(frozen)).toEqual(expected);
      for (const variable of embedder.variables()) variable.assign(tf.add(variable, 0.5));
      expect(of(frozen)).toEqual(expected);
      expect(of(ensemble)).not.toEqual(expected);
    });
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose(images);
    embedder.dispose();
  });
});
