import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { proxyAnchor } from '../../src/losses/index.js';
import { availableBackends } from '../models/backends.js';
import { anchorCases as cases } from './anchor-goldens.js';

/** Largest difference relative to the largest expected value. */
function deviation(actual: tf.Tensor, expected: number[][]): number {
  const flat = expected.flat();
  const scale = Math.max(...flat.map(Math.abs));
  return Math.max(...Array.from(actual.dataSync(), (value, i) => Math.abs(value - flat[i]))) / scale;
}

for (const backend of await availableBackends()) {
  describe(`proxyAnchor on ${backend}`, () => {
    it('has golden cases', () => expect(cases.length).toBeGreaterThan(0));

    it.each(cases.map((c, i) => [i, c] as const))('reproduces value and gradients of golden %i', async (_, c) => {
      await tf.setBackend(backend);
      const before = tf.memory().numTensors;
      tf.tidy(() => {
        const labels = tf.tensor1d(c.labels, 'int32');
        const loss = proxyAnchor({ alpha: c.alpha, delta: c.delta });
        const gradients = tf.valueAndGrads((e, p) => loss(e as tf.Tensor2D, labels, p as tf.Tensor2D));
        const { value, grads } = gradients([tf.tensor2d(c.embeddings), tf.tensor2d(c.proxies)]);
        expect(Math.abs(value.dataSync()[0] - c.value) / c.value).toBeLessThan(1e-4);
        expect(deviation(grads[0], c.gradEmbeddings)).toBeLessThan(1e-4);
        expect(deviation(grads[1], c.gradProxies)).toBeLessThan(1e-4);
      });
      expect(tf.memory().numTensors).toBe(before);
    });

    it('stays finite where e^z would overflow', async () => {
      await tf.setBackend(backend);
      tf.tidy(() => {
        const loss = proxyAnchor({ alpha: 500 });
        const gradient = tf.grad((e) =>
          loss(
            e as tf.Tensor2D,
            tf.tensor1d([0, 1], 'int32'),
            tf.tensor2d([
              [-1, 0],
              [1, 0],
            ]),
          ),
        );
        const e = tf.tensor2d([
          [1, 0],
          [0.6, 0.8],
        ]);
        const value = loss(
          e,
          tf.tensor1d([0, 1], 'int32'),
          tf.tensor2d([
            [-1, 0],
            [1, 0],
          ]),
        ).dataSync()[0];
        // The first row lies opposite its proxy and on the other's: z is 500 * 1.1 in both terms.
        expect(value).toBeCloseTo(550 / 2 + 550 / 2, 2);
        expect(Array.from(gradient(e).dataSync()).every(Number.isFinite)).toBe(true);
      });
    });

    it('gives finite gradients for a zero embedding', async () => {
      await tf.setBackend(backend);
      tf.tidy(() => {
        const loss = proxyAnchor();
        const gradient = tf.grad((e) =>
          loss(
            e as tf.Tensor2D,
            tf.tensor1d([0], 'int32'),
            tf.tensor2d([
              [1, 0],
              [0, 1],
            ]),
          ),
        );
        expect(Array.from(gradient(tf.zeros([1, 2])).dataSync()).every(Number.isFinite)).toBe(true);
      });
    });
  });
}

describe('proxyAnchor', () => {
  const proxies = tf.tensor2d([
    [1, 0],
    [0, 1],
  ]);
  const embeddings = tf.tensor2d([
    [1, 0],
    [0, 1],
    [1, 1],
  ]);

  it('divides the first term by the classes present, the second by all', () => {
    // One sample on its own proxy: log(1 + e^{-32 0.9}) / 1 + (log(1 + e^{32 0.1}) for the other proxy) / 2.
    const value = proxyAnchor()(tf.tensor2d([[2, 0]]), tf.tensor1d([0], 'int32'), proxies).dataSync()[0];
    expect(value).toBeCloseTo(Math.log1p(Math.exp(-28.8)) + Math.log1p(Math.exp(3.2)) / 2, 5);
  });

  it.each([
    ['labels of another length', () => proxyAnchor()(embeddings, tf.tensor1d([0, 1]), proxies), /labels/],
    ['a label without proxy', () => proxyAnchor()(embeddings, tf.tensor1d([0, 1, 2]), proxies), /labels.*received 2/],
    ['proxies of another width', () => proxyAnchor()(embeddings, tf.tensor1d([0, 1, 1]), tf.ones([2, 3])), /proxies/],
    ['no embeddings', () => proxyAnchor()(tf.zeros([0, 2]), tf.tensor1d([]), proxies), /embeddings/],
    ['alpha 0', () => proxyAnchor({ alpha: 0 }), /alpha/],
    ['delta NaN', () => proxyAnchor({ delta: Number.NaN }), /delta/],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringMatching(message) }));
  });
});
