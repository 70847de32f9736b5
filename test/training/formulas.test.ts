import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AttackGallery, type Objective, objective, pgd } from '../../src/attacks/index.js';
import type { MetricLoss } from '../../src/losses/index.js';
import { convEmbedder, type Embedder } from '../../src/models/index.js';
import { craftOn, craftWith } from '../../src/training/craft.js';
import { eat, eatHeads, type Method, standard, type TrainingStep, train } from '../../src/training/index.js';
import { tinyImages } from '../models/tiny-images.js';
import { toyEmbedder, toyEmbedding } from '../models/toy-embedder.js';

/** Two pixels to two dimensions, a network each. */
const WEIGHTS = [
  [
    [1, 0],
    [0, 1],
  ],
  [
    [1, 1],
    [-1, 2],
  ],
  [
    [0, 1],
    [1, 0.5],
  ],
];
const PIXELS = [
  [0.2, 0.8],
  [0.6, 0.4],
  [0.5, 0.9],
];
const embedded = (member: number) => PIXELS.map((x) => toyEmbedding(WEIGHTS[member], x));
const lossOf = (of: (e: tf.Tensor2D) => tf.Scalar): MetricLoss => Object.assign(of, { config: { name: 'stub' } });
const summed = lossOf((e) => tf.sum(e));

/** A step of the first `count` networks; `calls` takes down which network embeds. */
function stepOf(count: number, calls: number[] = [], more: Partial<TrainingStep> = {}): TrainingStep {
  const all = Int32Array.of(0, 1, 2);
  const members = WEIGHTS.slice(0, count).map((weights, i) => ({
    embedder: toyEmbedder(weights, () => void calls.push(i)),
    proxies: tf.variable(tf.tensor2d([[1, 0], [0, 2]])), // biome-ignore format: a matrix
  }));
  const images = tf.tensor4d(PIXELS.flat(), [3, 1, 2, 1]);
  const rows = members.map(() => all);
  const fixed = { members, images, labels: Int32Array.of(0, 1, 0), rows, loss: summed, seed: 1, step: 0 };
  return { ...fixed, ...more };
}

/** What an objective is bound with when those rows are crafted on those networks; kept. */
function boundWith(step: TrainingStep, sources: number[], rows: Int32Array, more: Partial<Objective> = {}) {
  let bound: { centroids?: tf.Tensor; gallery?: AttackGallery } = {};
  const spy: Objective = {
    ...{ name: 'spy', joint: false, flatAtStart: false },
    ...more,
    bind({ centroids, gallery }) {
      const kept = <T extends tf.Tensor>(x: T): T => tf.keep(tf.clone(x)) as T;
      bound = {
        centroids: kept(centroids!),
        gallery: gallery && { ...gallery, embeddings: kept(gallery.embeddings) },
      };
      return (e) => tf.sum(e, 1);
    },
  };
  craftWith(step, sources, rows, pgd({ epsilon: 0, steps: 1 }), 'x', spy);
  return bound;
}

const still = { epsilon: 0, steps: 1 };
const attack = { epsilon: 0.1, steps: 1, goal: 'training-loss' };
const close = (t: tf.Tensor, expected: number[]) => {
  const values = Array.from(t.dataSync());
  expect(values.length).toBe(expected.length);
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(expected[i], 5);
};

beforeAll(() => tf.setBackend('cpu'));

describe('eat', () => {
  it('draws a member to the mean of all members’ embeddings, its own among them', () => {
    const crafted = eat({ members: 3, transfer: 'none', alignment: 1, attack: still }).craft(stepOf(3));
    const [a, b, c] = [0, 1, 2].map(embedded);
    const mean = a.flatMap((row, i) => row.map((x, j) => (x + b[i][j] + c[i][j]) / 3));
    for (const { target } of crafted) close(target!, mean);
  });

  it('adds lambda times the mean over images of the squared distance to the target', () => {
    const step = stepOf(2, [], { loss: lossOf(() => tf.scalar(3)) });
    const target = tf.tensor2d([0, 0, 1, 0, 0, 1], [3, 2]);
    const update = { step, member: 0, images: step.images, labels: tf.tensor1d([0, 1, 0], 'int32'), target };
    const gaps = embedded(0).map(([x, y], i) => (x - [0, 1, 0][i]) ** 2 + (y - [0, 0, 1][i]) ** 2);
    const gap = gaps.reduce((sum, value) => sum + value, 0) / 3;
    const lossWith = (alignment: number) => eat({ members: 2, alignment, attack }).memberLoss(update);
    close(lossWith(1), [3 + gap]);
    close(lossWith(2.5), [3 + 2.5 * gap]);
  });

  it('learns from several sets of a member’s images with the classes of each, once per set', () => {
    const seen: number[][] = [];
    const stub = (_: tf.Tensor2D, labels: tf.Tensor1D) => {
      seen.push(Array.from(labels.dataSync()));
      return tf.scalar(0) as tf.Scalar;
    };
    const step = stepOf(2, [], { loss: Object.assign(stub, { config: { name: 'stub' } }) });
    const images = tf.concat([step.images, step.images]);
    const update = { step, member: 0, images, labels: tf.tensor1d([0, 1, 1], 'int32') };
    eat({ members: 2, transfer: 'pooled', attack }).memberLoss(update);
    expect(seen).toEqual([[0, 1, 1, 0, 1, 1]]);
  });

  it('mix: on the own network half of the time, else on one of the others, each as often', () => {
    const method = eat({ members: 3, transfer: 'mix', alignment: 0, attack });
    let [own, peers] = [0, [0, 0]];
    const calls: number[] = [];
    const step = stepOf(3, calls);
    for (let t = 0; t < 60; t++) {
      tf.tidy(() => void method.craft({ ...step, step: t }));
      // One step, of which the last iterate is kept: one forward pass through one network.
      expect(calls.length).toBe(3);
      calls.forEach((source, i) => {
        if (source === i) own++;
        else peers[(source - i + 3) % 3 === 1 ? 0 : 1]++;
      });
      calls.length = 0;
    }
    expect(own / 180).toBeGreaterThan(0.43);
    expect(own / 180).toBeLessThan(0.57);
    for (const count of peers) expect(Math.abs(count / 180 - 0.25)).toBeLessThan(0.08);
  });

  it.each([
    ['peers', [1, 2, 1, 2, 0, 2, 0, 2, 0, 1, 0, 1], 2],
    ['none', [0, 0, 1, 1, 2, 2], 2],
    ['shared', [0, 1, 2, 0, 1, 2], 2],
    // Of five steps three on the peers, two on the own.
    ['relay', [1, 2, 1, 2, 1, 2, 0, 0, 0, 2, 0, 2, 0, 2, 1, 1, 0, 1, 0, 1, 0, 1, 2, 2], 5],
  ] as const)('%s crafts through the networks %j', (transfer, sources, steps) => {
    const calls: number[] = [];
    eat({ members: 3, transfer, alignment: 0, attack: { ...attack, steps } }).craft(stepOf(3, calls));
    expect(calls).toEqual(sources);
  });

  it('one: crafts for all on a network drawn anew each step, each as often', () => {
    const counts = [0, 0, 0];
    const calls: number[] = [];
    const step = stepOf(3, calls);
    for (let t = 0; t < 60; t++) {
      tf.tidy(() => void eat({ members: 3, transfer: 'one', alignment: 0, attack }).craft({ ...step, step: t }));
      expect(calls.length).toBe(1);
      counts[calls.pop()!]++;
    }
    for (const count of counts) expect(Math.abs(count - 20)).toBeLessThan(9);
  });

  it('draws one of its goals per step and network, each as often', () => {
    const losses: number[] = [];
    const loss = lossOf((e) => {
      losses.push(1);
      return tf.sum(e);
    });
    const step = stepOf(1, [], { loss });
    const method = eat({ members: 1, transfer: 'none', alignment: 0, attack: { epsilon: 0.1, steps: 1 } });
    for (let t = 0; t < 60; t++) tf.tidy(() => void method.craft({ ...step, step: t }));
    // One step each: the training loss is asked where it was drawn, once.
    expect(Math.abs(losses.length - 30)).toBeLessThan(9);
  });

  it('relay hands the peers’ images on to the own attack', () => {
    const moved = (transfer: 'relay' | 'none') =>
      eat({ members: 2, transfer, alignment: 0, attack: { ...attack, steps: 2, stepSize: 0, epsilon: 0.2 } }).craft(
        stepOf(2),
      )[0].images;
    // Steps of no length: what comes out is where the peers' attack began, not where an own one would begin.
    expect(Array.from(moved('relay').dataSync())).not.toEqual(Array.from(moved('none').dataSync()));
  });

  it('shared: the loss of every member on its own unit rows, summed', () => {
    const seen: number[][] = [];
    const loss = lossOf((e) => {
      seen.push(Array.from(e.dataSync()));
      return tf.sum(e);
    });
    const given = { ...attack, epsilon: 0 };
    eat({ members: 2, transfer: 'shared', alignment: 0, attack: given }).craft(stepOf(2, [], { loss }));
    expect(seen.length).toBe(2);
    for (const [i, rows] of seen.entries()) close(tf.tensor1d(rows), embedded(i).flat());
  });
});

describe('eat-heads', () => {
  /** Two heads of two columns each in one network: [a, b, c, d] of two pixels, either half scaled to 1 / sqrt(2). */
  const W = [[1, 0, 1, 1], [0, 1, -1, 2]]; // biome-ignore format: a matrix
  const halves = [W.map((row) => row.slice(0, 2)), W.map((row) => row.slice(2))];
  const heads = halves.map((weights) => PIXELS.map((x) => toyEmbedding(weights, x)));
  const network = (): Embedder => {
    const parts = halves.map((weights) => toyEmbedder(weights));
    const apply = (images: tf.Tensor4D) => {
      const rows = parts.map((part) => part.apply(images));
      return tf.mul<tf.Tensor2D>(tf.concat(rows, 1), Math.SQRT1_2);
    };
    return { ...parts[0], embedding: 4, heads: 2, apply };
  };
  const proxies = [[1, 0, 0, 2], [0, 2, 3, 0]]; // biome-ignore format: a matrix
  const stepWith = (loss: MetricLoss, headRows: Int32Array[]): TrainingStep => {
    const members = [{ embedder: network(), proxies: tf.variable(tf.tensor2d(proxies)) }];
    return { ...stepOf(1, [], { loss, headRows }), members };
  };
  const update = (step: TrainingStep) => {
    return { step, member: 0, images: step.images, labels: tf.tensor1d([0, 1, 0], 'int32') };
  };
  const all = Int32Array.of(0, 1, 2);

  it('the mean of the heads’ losses, each on unit rows of its own images and on its own proxies', () => {
    const seen: unknown[] = [];
    const loss = Object.assign(
      (e: tf.Tensor2D, labels: tf.Tensor1D, own: tf.Tensor2D) => {
        seen.push([e.shape, Array.from(labels.dataSync()), own.arraySync()]);
        return tf.sum(e) as tf.Scalar;
      },
      { config: { name: 'stub' } },
    );
    const step = stepWith(loss, [all, Int32Array.of(1, 2)]);
    const value = eatHeads({ heads: 2, alignment: 0, attack }).memberLoss(update(step));
    const first = heads[0].flat().reduce((a, b) => a + b);
    const second = heads[1].slice(1).flat().reduce((a, b) => a + b); // biome-ignore format: one sum a line
    close(value, [(first + second) / 2]);
    expect(seen).toEqual([
      [[3, 2], [0, 1, 0], [[1, 0], [0, 2]]],
      [[2, 2], [1, 0], [[0, 2], [3, 0]]],
    ]); // biome-ignore format: a table
  });

  it('lambda times the mean squared distance of all heads to their mean, on all images', () => {
    const step = stepWith(
      lossOf(() => tf.scalar(3)),
      [Int32Array.of(0), Int32Array.of(2)],
    );
    const gaps = PIXELS.map((_, i) => {
      const mean = [0, 1].map((j) => (heads[0][i][j] + heads[1][i][j]) / 2);
      const apart = heads.map((rows) => (rows[i][0] - mean[0]) ** 2 + (rows[i][1] - mean[1]) ** 2);
      return (apart[0] + apart[1]) / 2;
    });
    const gap = (gaps[0] + gaps[1] + gaps[2]) / 3;
    const lossWith = (alignment: number) => eatHeads({ heads: 2, alignment, attack }).memberLoss(update(step));
    close(lossWith(1), [3 + gap]);
    close(lossWith(2.5), [3 + 2.5 * gap]);
  });

  it('a head without images in a batch is left out of the mean', () => {
    const step = stepWith(
      lossOf((e) => tf.sum(e)),
      [all, new Int32Array(0)],
    );
    const first = heads[0].flat().reduce((a, b) => a + b);
    close(eatHeads({ heads: 2, alignment: 0, attack }).memberLoss(update(step)), [first]);
  });

  it('crafts on the losses of all heads on their own images, and on goals over what the whole network embeds', () => {
    const seen: number[][] = [];
    const loss = lossOf((e) => {
      seen.push(Array.from(e.dataSync()));
      return tf.sum(e);
    });
    const step = stepWith(loss, [all, Int32Array.of(2)]);
    eatHeads({ heads: 2, attack: { ...attack, epsilon: 0 } }).craft(step);
    expect(seen.length).toBe(2);
    close(tf.tensor1d(seen[0]), heads[0].flat());
    close(tf.tensor1d(seen[1]), heads[1][2]);
    const h = Math.SQRT1_2;
    close(boundWith(step, [0], Int32Array.of(0, 1)).centroids!, [h, 0, 0, h, 0, h, h, 0]);
  });

  it('cuts the data among the heads, and shows the network all of it', () => {
    const labels = Int32Array.from({ length: 12 }, (_, i) => i % 3);
    const method = eatHeads({ heads: 3, diversity: 'disjoint', attack });
    expect([method.members, method.heads]).toEqual([1, 3]);
    expect(method.memberData(labels, 1).map(({ length }) => length)).toEqual([12]);
    const parts = method.headData!(labels, 1);
    expect(parts.map(({ length }) => length)).toEqual([4, 4, 4]);
    expect(parts.flatMap((part) => [...part]).sort((a, b) => a - b)).toEqual([...labels.keys()]);
    // Two heads of a part each leave the third part out.
    const two = eatHeads({ heads: 2, diversity: 'm-of-n', m: 1, n: 3, attack });
    const [seen] = two.memberData(labels, 1);
    expect([...seen]).toEqual(two.headData!(labels, 1).flatMap((part) => [...part]).sort((a, b) => a - b)); // biome-ignore format: one value
    expect(seen.length).toBe(8);
  });
});

it('an objective that searches gets the clean images of the batch, each but for itself', () => {
  const { gallery } = boundWith(stepOf(1), [0], Int32Array.of(0, 2), { searches: true });
  close(gallery!.embeddings, [embedded(0)[0], embedded(0)[2]].flat());
  expect([[...gallery!.labels], [...gallery!.self]]).toEqual([[0, 0], [0, 1]]); // biome-ignore format: two lists
});

it('the goal retrieval is taken at a temperature of 0.05', () => {
  // Two of the other class about as near, in two directions: which counts for how much is the temperature's to say.
  const pixels = [0.5, 0.5, 0.5, 0.7, 0.5, 0.5, 0.5, 0.75, 0.5, 0.5, 0.5, 0.6];
  const images = tf.tensor4d(pixels, [4, 1, 3, 1]);
  const identity = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; // biome-ignore format: a matrix
  const members = [{ embedder: toyEmbedder(identity), proxies: tf.variable(tf.tensor2d([[1, 0, 0], [0, 1, 0]])) }]; // biome-ignore format: one value
  const step = { ...stepOf(1, [], { images, labels: Int32Array.of(0, 1, 1, 0) }), members };
  const all = Int32Array.of(0, 1, 2, 3);
  const settings = { ...pgd({ norm: 'l2', epsilon: 0.05, steps: 1 }), goals: ['retrieval'] };
  const at = (temperature: number) =>
    Array.from(craftWith(step, [0], all, settings, 0, objective('retrieval', { temperature })).dataSync());
  const crafted = Array.from(craftOn(step, [0], all, settings, 0).dataSync());
  expect(crafted).toEqual(at(0.05));
  // The default of an evaluation.
  expect(crafted).not.toEqual(at(0.02));
});

it('the class proxies stand for centroids as the ensemble embeds: unit rows side by side over sqrt(N)', () => {
  const h = Math.SQRT1_2;
  close(boundWith(stepOf(2), [0, 1], Int32Array.of(0, 1)).centroids!, [h, 0, h, 0, 0, h, 0, h]);
});

/** Member i has the loss 1 + 2 i, member 1 only half of the images. */
const scripted: Method = {
  ...standard({ members: 2 }),
  memberData: ({ length }) => [length, length / 2].map((n) => Int32Array.from({ length: n }, (_, i) => i)),
  memberLoss: ({ step, member }) => tf.add(1 + 2 * member, tf.mul(tf.sum(step.members[member].proxies), 0)),
};
const options = { data: tinyImages({ perClass: 4 }), model: convEmbedder({ dimension: 64, width: 1 }), epochs: 1 };

it('a step’s loss is the mean over the members that learnt in it', async () => {
  const whole = await train({ ...options, method: scripted, batch: { size: 16 }, backend: 'cpu' });
  expect(whole.history.losses).toEqual([2]);
  const losses: number[] = [];
  const onProgress = ({ loss }: { loss: number }) => void losses.push(loss);
  const single = await train({ ...options, method: scripted, batch: { size: 1 }, backend: 'cpu', onProgress });
  // Of 16 steps of one image, 8 have an image of both.
  expect(losses.filter((loss) => loss === 2).length).toBe(8);
  expect(losses.filter((loss) => loss === 1).length).toBe(8);
  expect(single.history.losses).toEqual([1.5]);
  for (const ensemble of [whole, single]) ensemble.dispose();
});

it('proxies begin normal with variance 2 / classes', async () => {
  const rates = { learningRate: 0, proxyLearningRate: 0, weightDecay: 0 };
  const ensemble = await train({ ...options, ...rates, batch: { size: 16 }, backend: 'cpu' });
  const values = Array.from(ensemble.proxies[0].dataSync());
  expect(values.length).toBe(4 * 64);
  const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
  expect(variance).toBeGreaterThan(0.4);
  expect(variance).toBeLessThan(0.6);
  ensemble.dispose();
});
