import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { mpgd, objective } from '../../src/attacks/index.js';
import { datasetFromArrays, sourceOf } from '../../src/data/index.js';
import { attackDataset } from '../../src/evaluation/attack-dataset.js';
import { disposeContext, setContext } from '../../src/evaluation/set-context.js';

beforeAll(() => tf.setBackend('cpu'));

const line = (values: number[]) => ({ data: Float32Array.from(values), rows: values.length, cols: 1 });
const BYTES = [102, 102, 26, 26];
const LABELS = Int32Array.of(5, 5, 9, 9);
const CLEAN = BYTES.map((byte) => byte / 255);
const data = sourceOf(datasetFromArrays({ images: Uint8Array.from(BYTES), labels: LABELS, shape: [1, 1, 1] }));
const pixel = { apply: (x: tf.Tensor4D) => tf.reshape(x, [-1, 1]) as tf.Tensor2D, embedding: 1 };

/** How far retrieval moves each image; similarity is the product of two pixels. */
async function moves(searched?: { embeddings: ReturnType<typeof line>; labels: Int32Array }) {
  const before = tf.memory().numTensors;
  const context = await setContext(line(CLEAN), LABELS, searched);
  const settings = { ...mpgd({ epsilon: 0.05, steps: 5 }), randomStart: false };
  const plan = { name: 'retrieval', objective: objective('retrieval'), settings };
  const attacked = await attackDataset({ ensemble: pixel, data, plan, context, seed: 1, batchSize: 3 });
  disposeContext(context);
  expect(tf.memory().numTensors).toBe(before);
  return Array.from(attacked.data, (x, i) => x - CLEAN[i]);
}

it('retrieval attacks what the images are searched in: themselves, or the gallery with classes of its own', async () => {
  // Among themselves class 5 is the lighter one: it grows darker, and class 9 lighter.
  for (const [i, move] of (await moves()).entries()) expect(move).toBeCloseTo(LABELS[i] === 5 ? -0.05 : 0.05, 5);
  // In the gallery class 5 is the darkest, and there is a third class, lighter than both.
  const searched = { embeddings: line([0.1, 0.3, 0.9]), labels: Int32Array.of(5, 9, 77) };
  for (const move of await moves(searched)) expect(move).toBeCloseTo(0.05, 5);
});
