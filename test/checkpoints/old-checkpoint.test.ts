import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadEnsemble } from '../../src/checkpoints/index.js';
import type { Matrix } from '../../src/kernels/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { eat, train } from '../../src/training/index.js';
import { tinyImages } from '../models/tiny-images.js';

/** Written by version 0.1.0 at commit de4c69b, in step 5 of 8 of the run below; `expected.json` is what it embedded. */
const OLD = 'test/goldens/checkpoint-1';
const expected = JSON.parse(readFileSync(join(OLD, 'expected.json'), 'utf8'));

const options = {
  data: tinyImages(),
  model: convEmbedder({ dimension: 4, width: 2 }),
  method: eat({ members: 2, attack: { epsilon: 0.1, steps: 2 }, transfer: 'mix' }),
  seed: 1,
  epochs: 2,
  batch: { classes: 4, images: 3 },
  backend: 'cpu' as const,
};
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-old-'));

beforeAll(() => chooseBackend({ backend: 'cpu' }));
afterAll(() => rmSync(folder, { recursive: true }));

/** The first four rows, as the old version had them. */
function expectRows({ data }: Matrix, rows: number[]): void {
  rows.forEach((value, i) => {
    expect(Math.abs(data[i] - value)).toBeLessThanOrEqual(1e-6);
  });
}

test('an ensemble that an older version saved embeds as it did there', async () => {
  const before = tf.memory().numTensors;
  const ensemble = await loadEnsemble(OLD);
  expectRows(await ensemble.embed(options.data), expected.saved);
  expect(ensemble.trainedOn?.dataset).toBe('tiny');
  ensemble.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test('a run that an older version began ends as it would have ended there', async () => {
  cpSync(OLD, folder, { recursive: true });
  const trained = await train({ ...options, checkpoint: folder, resume: true });
  trained.history.losses.forEach((loss, i) => {
    expect(Math.abs(loss / expected.losses[i] - 1)).toBeLessThanOrEqual(1e-5);
  });
  expectRows(await trained.embed(options.data), expected.trained);
  trained.dispose();
});
