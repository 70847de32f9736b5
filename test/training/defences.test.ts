import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { imageBatch } from '../../src/data/image-batch.js';
import { proxyAnchor } from '../../src/losses/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { randomStream } from '../../src/random.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { act, dverge, est, gal, hm, type Method, type TrainingStep, trades } from '../../src/training/index.js';
import { logDeterminant } from '../../src/training/methods/adp.js';
import { randomTriplets } from '../../src/training/triplets.js';
import { tinyImages } from '../models/tiny-images.js';

const data = tinyImages({ perClass: 4 });
const attack = { epsilon: 0.1, steps: 4 };
let step: TrainingStep;

beforeAll(async () => {
  await chooseBackend({ backend: 'cpu' });
  const spec = convEmbedder({ dimension: 4, width: 2 });
  const members = [0, 1].map((seed) => {
    const embedder = spec.build(data.shape, seed);
    return { embedder, proxies: tf.variable(tf.randomNormal([4, 4], 0, 1, 'float32', seed + 1)) };
  });
  const all = Int32Array.from(data.labels.keys());
  const images = imageBatch(data, all);
  for (const { embedder } of members) tf.tidy(() => void embedder.apply(images, true));
  const labels = data.labels.map((label) => label - 10);
  const rows = [all, all];
  step = { members, images, labels, rows, loss: proxyAnchor(), seed: 1, step: 0 };
});

const craft = (method: Method) => method.craft({ ...step, rows: step.rows.slice(0, method.members) })[0];
const embed = (x: tf.Tensor, member = 0) => step.members[member].embedder.apply(x as tf.Tensor4D);
const gaps = (a: tf.Tensor2D, b: tf.Tensor2D) => tf.mean(tf.norm(tf.sub(a, b), 2, 1)).dataSync()[0];

describe('what defences craft', () => {
  it('stays in the ball', () => {
    for (const method of [trades({ attack }), est({ attack })]) {
      const largest = tf.max(tf.abs(tf.sub(craft(method).images, step.images))).dataSync()[0];
      expect(largest).toBeGreaterThan(0.01);
      expect(largest).toBeLessThanOrEqual(0.1 + 1e-6);
    }
  });

  it('est: embeddings far from their clean selves', () => {
    const shift = gaps(embed(craft(est({ attack })).images), embed(step.images));
    expect(shift).toBeGreaterThan(0.05);
  });

  it('act: positives and negatives drawn together', () => {
    const { extra } = craft(act({ attack }));
    const still = craft(act({ attack: { epsilon: 0, steps: 1 } })).extra!;
    const gap = (pairs: tf.Tensor) => {
      const [p, n] = tf.split(embed(pairs), 2, 0) as tf.Tensor2D[];
      return gaps(p, n);
    };
    expect(gap(extra!.pairs)).toBeLessThan(0.9 * gap(still.pairs));
  });

  it('hm: triplets no easier than before, and none far beyond the wanted hardness', () => {
    const hardness = (triplets: tf.Tensor) => {
      const [a, p, n] = tf.split(embed(triplets), 3, 0) as tf.Tensor2D[];
      return Array.from(tf.sub(tf.norm(tf.sub(a, p), 2, 1), tf.norm(tf.sub(a, n), 2, 1)).dataSync());
    };
    const before = hardness(craft(hm({ attack: { epsilon: 0, steps: 1 } })).extra!.triplets);
    const after = hardness(craft(hm({ attack: { ...attack, keep: 'best', randomStart: false } })).extra!.triplets);
    const easy = (list: number[]) => list.reduce((sum, h) => sum + Math.max(0, -0.2 - h) ** 2, 0);
    expect(easy(after)).toBeLessThanOrEqual(easy(before));
  });

  it('gal: clean images have one set of gradients, attacked ones a set per member', () => {
    const calls = (method: Method) => {
      let count = 0;
      const loss = Object.assign(
        (...of: Parameters<typeof step.loss>) => {
          count++;
          return step.loss(...of);
        },
        { config: step.loss.config },
      );
      tf.dispose(method.craft({ ...step, loss }) as never);
      return count;
    };
    expect(calls(gal({ members: 2 }))).toBe(2);
    // Two gradients each, and the steps of the attack.
    expect(calls(gal({ members: 2, attack }))).toBe(4 + 2 * attack.steps);
  });

  it('dverge: images that the peer embeds like another, though they are near their own', () => {
    const { images } = craft(
      dverge({ members: 2, attack: { epsilon: 0.3, steps: 20, keep: 'best', randomStart: false } }),
    );
    const round = randomStream(1, 'distil', 0).permutation(data.length);
    const target = Array.from(round.keys(), (image) => round[(round.indexOf(image) + 1) % data.length]);
    const goals = tf.gather(embed(step.images, 1), tf.tensor1d(target, 'int32'));
    expect(gaps(embed(images, 1), goals)).toBeLessThan(0.95 * gaps(embed(step.images, 1), goals));
    expect(tf.max(tf.abs(tf.sub(images, step.images))).dataSync()[0]).toBeLessThanOrEqual(0.3 + 1e-6);
  });
});

describe('adp’s determinant', () => {
  it('is that of the Gram matrix', () => {
    const a = tf.tensor2d([[1, 0, 0]]);
    const b = tf.tensor2d([[0.6, 0.8, 0]]);
    const c = tf.tensor2d([[0, 0.6, 0.8]]);
    // The volume of three unit vectors squared: det of rows (a, b, c) is 0.64.
    expect(Math.exp(logDeterminant([a, b, c]).dataSync()[0])).toBeCloseTo(0.64 ** 2, 5);
    expect(logDeterminant([a, a]).dataSync()[0]).toBeCloseTo(Math.log(2e-6), 3);
  });
});

describe('randomTriplets', () => {
  it('gives each row one of its class and one of another, itself where it is alone', () => {
    const labels = Int32Array.of(0, 0, 1, 2, 2);
    const { anchors, positives, negatives } = randomTriplets(Int32Array.of(0, 1, 2, 4), labels, randomStream(3));
    expect([...anchors]).toEqual([0, 1, 2, 4]);
    expect([...positives]).toEqual([1, 0, 2, 4]);
    negatives.forEach((row, i) => {
      expect(labels[row]).not.toBe(labels[anchors[i]]);
    });
    expect(randomTriplets(Int32Array.of(3, 4), labels, randomStream(3)).anchors.length).toBe(0);
  });
});
