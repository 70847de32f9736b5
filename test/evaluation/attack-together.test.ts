import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { mpgd, type Objective } from '../../src/attacks/index.js';
import { datasetFromArrays, sourceOf } from '../../src/data/index.js';
import { attackDataset, attackFor } from '../../src/evaluation/attack-dataset.js';
import { setContext } from '../../src/evaluation/set-context.js';

beforeAll(() => tf.setBackend('cpu'));

const BYTES = [51, 102, 0, 153, 128];
const LABELS = Int32Array.of(0, 1, 0, 1, 0);
const CLEAN = BYTES.map((byte) => byte / 255);
const data = sourceOf(datasetFromArrays({ images: Uint8Array.from(BYTES), labels: LABELS, shape: [1, 1, 1] }));
const pixel = { apply: (x: tf.Tensor4D) => tf.reshape(x, [-1, 1]) as tf.Tensor2D, embedding: 1 };
const half = { apply: (x: tf.Tensor4D) => tf.mul(pixel.apply(x), 0.5) as tf.Tensor2D, embedding: 1 };

/** Everything seen of the embeddings goes into `seen`; the sum is raised while it is below `limit`, else lowered. */
const watched = (seen: number[][], limit = Number.POSITIVE_INFINITY): Objective => ({
  name: 'watched',
  joint: true,
  flatAtStart: false,
  wholeSet: true,
  bind: () => (e) => {
    const values = Array.from(e.dataSync());
    seen.push(values);
    const sign = values.reduce((a, b) => a + b, 0) < limit ? 1 : -1;
    return tf.mul(tf.reshape(tf.sum(e), [1]), sign);
  },
});

async function run(objective: Objective, more: object = {}, settings = {}) {
  const context = await setContext({ data: Float32Array.from(CLEAN), rows: 5, cols: 1 }, LABELS);
  const own = { ...mpgd({ epsilon: 0.2, steps: 3, stepSize: 0.04, momentum: 0 }), randomStart: false, ...settings };
  const plan = { name: 'together', objective, settings: own };
  return { ensemble: pixel, data, plan, context, seed: 3, batchSize: 2, ...more };
}

/** Lengths of three steps from 0.04 down. */
const LENGTHS = [0, 1, 2].map((t) => 0.02 * (1 + Math.cos((Math.PI * t) / 3)));
const climbed = (steps: number) => LENGTHS.slice(0, steps).reduce((a, b) => a + b, 0);

describe('an attack of all images together', () => {
  it('shows the objective all images, of which each has taken as many steps', async () => {
    const seen: number[][] = [];
    const counted: number[] = [];
    const before = tf.memory().numTensors;
    const attack = await run(watched(seen), { onBatch: (images: number) => void counted.push(images) });
    const [own, other] = await attackFor(attack, [pixel, half]);
    expect(seen.length).toBe(4);
    for (const [steps, values] of seen.entries()) {
      for (const [i, value] of values.entries()) expect(value).toBeCloseTo(CLEAN[i] + climbed(steps), 5);
    }
    for (const [i, value] of own.data.entries()) {
      expect(value).toBeCloseTo(CLEAN[i] + climbed(3), 5);
      expect(other.data[i]).toBeCloseTo(value / 2, 6);
    }
    expect(counted.reduce((a, b) => a + b, 0)).toBeCloseTo(5, 6);
    tf.dispose([attack.context.centroids, attack.context.gallery]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('takes its direction from all of them: a turn of the whole turns every batch', async () => {
    const sum = CLEAN.reduce((a, b) => a + b, 0);
    // After two steps the sum is above the limit, and the third goes back in every batch.
    const attacked = await attackDataset(await run(watched([], sum + 5 * climbed(2) - 0.01)));
    for (const [i, value] of attacked.data.entries()) expect(value).toBeCloseTo(CLEAN[i] + climbed(2) - LENGTHS[2], 5);
  });

  it('leaves those alone that are not attacked, and still shows them', async () => {
    const seen: number[][] = [];
    const attacked = await attackDataset(await run(watched(seen), { samples: Int32Array.of(1, 4) }));
    expect(attacked.rows).toBe(2);
    for (const [i, sample] of [1, 4].entries()) expect(attacked.data[i]).toBeCloseTo(CLEAN[sample] + climbed(3), 5);
    const last = seen.at(-1)!;
    for (const sample of [0, 2, 3]) expect(last[sample]).toBeCloseTo(CLEAN[sample], 6);
  });

  it('keeps the restart that ends highest', async () => {
    const ends: number[] = [];
    // No step moves anything: where a restart begins is where it ends.
    const objective: Objective = {
      ...watched([]),
      bind: () => (e) => {
        ends.push(e.dataSync<'float32'>().reduce((a, b) => a + b, 0));
        return tf.reshape(tf.sum(e), [1]);
      },
    };
    const settings = { randomStart: true, stepSize: 0, restarts: 4 };
    const attacked = await attackDataset(await run(objective, {}, settings));
    expect(new Set(ends.map((end) => end.toFixed(5))).size).toBe(4);
    expect(attacked.data.reduce((a, b) => a + b, 0)).toBeCloseTo(Math.max(...ends), 5);
  });

  it('stops when aborted', async () => {
    const controller = new AbortController();
    const before = tf.memory().numTensors;
    const attack = await run(watched([]), { signal: controller.signal, onBatch: () => controller.abort() });
    await expect(attackDataset(attack)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    tf.dispose([attack.context.centroids, attack.context.gallery]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
