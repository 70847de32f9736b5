import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { objective, pgd } from '../../src/attacks/index.js';
import { runAttackLater } from '../../src/attacks/run-attack.js';
import { loadEnsemble } from '../../src/checkpoints/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { eat, type TrainOptions, train } from '../../src/training/index.js';
import { tinyImages } from '../models/tiny-images.js';
import { difference, noise } from './close.js';
import { describeWebgpu } from './describe-webgpu.js';

const data = tinyImages({ classes: 2, perClass: 8, size: 8 });
const attack = { epsilon: 8 / 255, steps: 2 };
const options = (more: Partial<TrainOptions>): TrainOptions => ({
  data,
  model: convEmbedder({ dimension: 4, width: 2 }),
  method: eat({ members: 2, attack }),
  ...{ seed: 5, epochs: 2, batch: { size: 8 }, backend: 'webgpu' },
  ...more,
});

describeWebgpu('training on webgpu', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'eat-dml-webgpu-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('steps of EAT are those of native; saved, gone on with and loaded', { timeout: 900_000 }, async () => {
    const expected = await train(options({ backend: 'native' }));
    const dir = join(folder, 'run');
    (await train(options({ epochs: 1, checkpoint: dir }))).dispose();
    const resumed = await train(options({ checkpoint: dir, resume: true }));
    const whole = await train(options({}));
    expect(resumed.history.steps).toBe(expected.history.steps);
    expect(difference(whole.history.losses, expected.history.losses)).toBeLessThan(1e-3);
    expect(resumed.history.losses).toEqual(whole.history.losses);
    const embeddings = await resumed.embed(data);
    expect((await whole.embed(data)).data).toEqual(embeddings.data);
    expect(difference(embeddings.data, (await expected.embed(data)).data)).toBeLessThan(1e-2);
    const loaded = await loadEnsemble(dir);
    expect((await loaded.embed(data)).data).toEqual(embeddings.data);
    for (const ensemble of [expected, resumed, whole, loaded]) ensemble.dispose();
  });

  test.each(['linf', 'l2', 'l1'] as const)('attacks in %s stay in ball and box to the bit', async (norm) => {
    await chooseBackend({ backend: 'webgpu' });
    const epsilon = { linf: 8 / 255, l2: 0.3, l1: 2 }[norm];
    const model = convEmbedder({ dimension: 4, width: 2 }).build(data.shape, 1);
    const shape: [number, number, number, number] = [8, ...data.shape];
    const images = tf.tensor4d(noise(shape, 'pixels').map(Math.abs), shape);
    const settings = pgd({ norm, epsilon, steps: 3 });
    const attacked = await runAttackLater({
      model,
      images,
      objective: objective('embedding-shift'),
      settings,
      seed: 1,
    });
    const [before, after] = [await images.data(), await attacked.data()];
    const size = before.length / 8;
    let moved = 0;
    for (let n = 0; n < 8; n++) {
      const apart = Array.from({ length: size }, (_, i) => Math.abs(after[n * size + i] - before[n * size + i]));
      const lengths = {
        linf: apart.reduce((most, d) => Math.max(most, d), 0),
        l2: Math.sqrt(apart.reduce((sum, d) => sum + d * d, 0)),
        l1: apart.reduce((sum, d) => sum + d, 0),
      };
      expect(lengths[norm]).toBeLessThanOrEqual(epsilon);
      if (lengths[norm] > epsilon / 2) moved++;
    }
    expect(moved).toBeGreaterThan(4);
    expect(after.every((v) => v >= 0 && v <= 1)).toBe(true);
    tf.dispose([images, attacked]);
    model.dispose();
  });
});
