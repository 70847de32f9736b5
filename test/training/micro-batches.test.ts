import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { convEmbedder, type ModelSpec } from '../../src/models/index.js';
import { networkModel } from '../../src/models/network.js';
import { adp, eat, gal, type Method, standard, type TrainOptions, trades, train } from '../../src/training/index.js';
import { QUICKER } from '../evaluation/brief.js';
import { fewOf, LONG } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';

/** Without batch normalisation. */
const model = networkModel('plain', {}, [
  { type: 'conv', name: 'conv', filters: 3, size: 3, strides: 1, padding: 'same', bias: true, activation: 'relu' },
  { type: 'mean-pool' },
  { type: 'dense', name: 'head', units: 4 },
]);
const attack = { epsilon: 0.1, steps: 1 };
const options: TrainOptions = {
  ...{ data: tinyImages(), model, seed: 1, epochs: LONG ? 2 : 1, batch: { size: 16 }, backend: QUICKER },
};

async function run(change: Partial<TrainOptions>) {
  const before = tf.memory().numTensors;
  const ensemble = await train({ ...options, ...change });
  const weights = ensemble.members.flatMap(({ weights }) =>
    [...weights].map(([name, w]) => [name, Array.from(w.dataSync())] as const),
  );
  const proxies = Array.from(ensemble.proxies[0].dataSync());
  const { losses, forwardPasses, gradientEvaluations } = ensemble.history;
  ensemble.dispose();
  expect(tf.memory().numTensors).toBe(before);
  return {
    weights,
    values: [...weights.flatMap(([, values]) => values), ...proxies],
    losses,
    forwardPasses,
    gradientEvaluations,
  };
}

const methods: [string, Method][] = [
  ['standard', standard()],
  ['trades, which embeds twice', trades({ attack })],
  ['eat with its alignment', eat({ members: 2, attack, alignment: 0.5 })],
  ['adp, which looks at its peers', adp({ members: 3 })],
  ['gal, which attacks by gradients', gal({ members: 2, attack })],
];

test.each(methods)('%s: in parts of any size a step is that of the whole batch', async (_, method) => {
  const whole = await run({ method });
  for (const microBatch of fewOf([5, 16], 1)) {
    const parts = await run({ method, microBatch });
    expect(parts.values.length).toBe(whole.values.length);
    for (const [i, value] of parts.values.entries()) expect(value).toBeCloseTo(whole.values[i], 4);
    for (const [i, loss] of parts.losses.entries()) expect(loss).toBeCloseTo(whole.losses[i], 4);
    expect(parts.gradientEvaluations).toBe(whole.gradientEvaluations);
    expect(parts.forwardPasses).toBeGreaterThan(whole.forwardPasses);
  }
});

test.each([
  ['standard', standard()],
  ['adp, whose peers are looked at', adp({ members: 3 })],
])('%s: no more images than that are in a network at once', async (_, method) => {
  const sizes = new Set<number>();
  const watched: ModelSpec = {
    ...model,
    build(shape, seed) {
      const embedder = model.build(shape, seed);
      const apply: typeof embedder.apply = (images, training) => {
        sizes.add(images.shape[0]);
        return embedder.apply(images, training);
      };
      return { ...embedder, apply };
    },
  };
  await run({ model: watched, method, microBatch: 5 });
  expect([...sizes].sort()).toEqual([1, 5]);
});

test('with batch statistics they are those of a part, and running ones move once', async () => {
  const normed = convEmbedder({ dimension: 4, width: 2 });
  const change = { model: normed, epochs: 1, learningRate: 0, proxyLearningRate: 0, batch: { size: 48 } };
  const [whole, one, parts] = [
    await run(change),
    await run({ ...change, microBatch: 48 }),
    await run({ ...change, microBatch: 12 }),
  ];
  const means = ({ weights }: typeof whole) =>
    weights.filter(([name]) => /moving_mean/.test(name)).flatMap(([, values]) => values);
  expect(means(one)).toEqual(means(whole));
  expect(means(parts)).not.toEqual(means(whole));
});

test('the warm-up moves head and proxies alone here, too', async () => {
  const [still, warm] = [await run({ learningRate: 0, proxyLearningRate: 0 }), await run({ warmUp: 2, microBatch: 5 })];
  for (const [i, [name, values]] of warm.weights.entries()) {
    if (name.startsWith('head/')) expect(values).not.toEqual(still.weights[i][1]);
    else expect(values).toEqual(still.weights[i][1]);
  }
});
