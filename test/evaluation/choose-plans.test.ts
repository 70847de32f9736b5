import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Objective, pgd } from '../../src/attacks/index.js';
import { datasetFromArrays, sourceOf } from '../../src/data/index.js';
import { choosePlans } from '../../src/evaluation/choose-plans.js';
import { suite } from '../../src/evaluation/index.js';
import { MeasuredSet } from '../../src/evaluation/measured-set.js';
import { setContext } from '../../src/evaluation/set-context.js';

beforeAll(() => tf.setBackend('cpu'));

const COUNT = 300;
const LABELS = Int32Array.from({ length: COUNT }, (_, i) => i % 2);
/** Two classes far apart, no two images alike. */
const BYTES = Uint8Array.from(LABELS, (label, i) => (label === 0 ? 10 : 200) + (i % 40));
const data = sourceOf(datasetFromArrays({ images: BYTES, labels: LABELS, shape: [1, 1, 1] }));
const pixel = { apply: (x: tf.Tensor4D) => tf.reshape(x, [-1, 1]) as tf.Tensor2D, embedding: 1 };

/** Draws the images of the share `reach` of the batch to the other class. */
const toOther = (name: string, reach: number, seen: string[]): Objective => ({
  name,
  joint: false,
  flatAtStart: false,
  leastClasses: name === 'impossible' ? 3 : 1,
  bind({ labels, centroids }) {
    seen.push(name);
    const goals = tf.gather(
      centroids!,
      tf.tensor1d(
        labels!.map((label) => 1 - label),
        'int32',
      ),
    );
    const moved = Float32Array.from(labels!, (_, i) => (i / labels!.length < reach ? 1 : 0));
    return (e) => tf.mul(tf.neg(tf.sum(tf.squaredDifference(e, goals), 1)), moved) as tf.Tensor1D;
  },
});

async function chosen(reaches: Record<string, number>, probed = true) {
  const embeddings = { data: Float32Array.from(BYTES, (byte) => byte / 255), rows: COUNT, cols: 1 };
  const context = await setContext(embeddings, LABELS);
  const scoring = { k: 2, seed: 1, clusterRestarts: 3 };
  const clean = new MeasuredSet(embeddings, LABELS, scoring);
  const seen: string[] = [];
  const settings = pgd({ epsilon: 1, steps: 30, stepSize: 0.05, randomStart: false });
  const probe = { ...settings, steps: 20 };
  const plans = Object.entries(reaches).map(([name, reach]) => {
    return { name, objective: toOther(name, reach, seen), settings, ...(probed && { probe }) };
  });
  const images: number[] = [];
  const kept = await choosePlans(plans, {
    ...{ ensemble: pixel, data, context, seed: 1, batchSize: 128, clean, scoring },
    onProgress: ({ total }) => void images.push(total),
  });
  tf.dispose([context.centroids, context.gallery]);
  return { names: kept.map(({ name }) => name), kept, seen, images, settings };
}

describe('choosing among attacks on a sample', () => {
  it('runs the three that lower NMI most, and the two of Recall@1, in their order and with their own settings', async () => {
    const before = tf.memory().numTensors;
    // Half of the images on the other side is the worst of NMI, all of them the worst of recall: there clusters are renamed.
    const { names, kept, images, settings } = await chosen({ a: 0, b: 1, c: 0.5, d: 0.9, e: 0.02, f: 0.4, g: 0.6 });
    expect(names).toEqual(['b', 'c', 'd', 'f', 'g']);
    expect(kept[0].settings).toEqual(settings);
    // Each of the seven was tried on 256 images.
    expect(new Set(images)).toEqual(new Set([7 * 256]));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('keeps what cannot be tried, and all that is not to be', async () => {
    expect((await chosen({ impossible: 1, c: 0.5 })).names).toEqual(['impossible', 'c']);
    const { names, seen } = await chosen({ a: 0, b: 0, c: 0, d: 0, e: 0, f: 0 }, false);
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(seen).toEqual([]);
  });

  it('is what the suite auto does: all of its attacks are tried, with fewer steps', () => {
    const plans = suite('auto', { epsilon: 0.1, restarts: 2 });
    for (const { probe, settings } of plans) {
      expect(probe!.steps).toBeLessThan(settings.steps);
      expect([probe!.restarts, settings.restarts]).toEqual([1, 2]);
    }
  });
});
