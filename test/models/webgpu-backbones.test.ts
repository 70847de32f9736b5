import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chooseBackend } from '../../src/tfjs/index.js';
import { LONG } from '../long.js';
import { LONG_ON_WEBGPU } from '../long-on-webgpu.js';
import { describeWebgpu, onCard } from '../tfjs/describe-webgpu.js';
import { casesOf, image, lossOf, SPECS, writeWeights } from './published.js';

/** In software each takes a minute. */
const archs = Object.keys(SPECS).filter((arch) => LONG_ON_WEBGPU || onCard || (LONG && arch === 'mobilenet_v2'));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'eat-dml-webgpu-backbones-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describeWebgpu('backbones on webgpu', () => {
  if (archs.length === 0) test.skip('in software only in the long form', () => {});
  test.each(archs)(
    '%s at 32 pixels: the embeddings, loss and image gradients of PyTorch',
    { timeout: 900_000 },
    async (arch) => {
      const [small] = casesOf(arch);
      const weights = join(folder, `${arch}.safetensors`);
      writeWeights(weights, arch);
      await chooseBackend({ backend: 'webgpu' });
      const [, height, width] = small.size;
      const before = tf.memory().numTensors;
      const embedder = SPECS[arch]({ dimension: 64, pooling: small.pool, weights }).build([height, width, 3], 1);
      for (const frozen of [false, true]) {
        const results = tf.tidy(() => {
          const pass = frozen ? embedder.apply.frozen!().apply : embedder.apply;
          const { value, grad } = tf.valueAndGrad((x) => lossOf(pass(x as tf.Tensor4D)))(image(small));
          return [pass(image(small)), value, grad];
        });
        const [embeddings, [loss], gradient] = await Promise.all(results.map((t) => t.data()));
        tf.dispose(results);
        expect(furthest(embeddings, small.embedding.flat())).toBeLessThanOrEqual(1e-5);
        expect(Math.abs(loss - small.loss)).toBeLessThanOrEqual(3e-5);
        small.inputGradientL2.forEach((length, i) => {
          const size = gradient.length / small.size[0];
          const own = gradient.subarray(i * size, (i + 1) * size);
          expect(Math.abs(Math.hypot(...own) / length - 1)).toBeLessThanOrEqual(5e-5);
        });
      }
      embedder.dispose();
      expect(tf.memory().numTensors).toBe(before);
    },
  );
});

const furthest = (a: ArrayLike<number>, b: readonly number[]) =>
  b.reduce((most, value, i) => Math.max(most, Math.abs(a[i] - value)), 0);
