import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, it } from 'vitest';
import {
  apgd,
  attackContext,
  fgsm,
  objective,
  pgd,
  rankingMeasures,
  runAttack,
  square,
} from '../../src/attacks/index.js';
import { assignToCentroids } from '../../src/clustering/assign.js';
import { clusterEmbeddings } from '../../src/clustering/index.js';
import { evaluate } from '../../src/evaluation/index.js';
import { convEmbedder, type Embedder, Ensemble } from '../../src/models/index.js';
import { tinyImages } from '../models/tiny-images.js';
import { withoutChecks } from './without-checks.js';

withoutChecks();

/** What kernels call their arguments, which no user of an attack or an evaluation has given. */
const INTERNAL = /\b(origin|current|points|gradient in|queries|a but|b but)\b/;

const data = tinyImages();
const spec = convEmbedder({ dimension: 4, width: 2 });
const embedder = spec.build(data.shape, 1);
afterAll(() => embedder.dispose());

/** The embedder with something done to what it gives. */
const after = (change: (embeddings: tf.Tensor2D) => tf.Tensor2D): Ensemble => {
  const apply = (images: tf.Tensor4D) => tf.tidy(() => change(embedder.apply(images)));
  return new Ensemble([Object.assign(Object.create(embedder), { ...embedder, apply }) as Embedder]);
};
const nan = after((e) => tf.mul(e, Number.NaN));
const nanGradient = after((e) => {
  const turned = tf.customGrad((x) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.mul(dy, Number.NaN),
  }));
  return turned(e) as tf.Tensor2D;
});
const matrix = (...data: number[]) => ({ data: Float32Array.from(data), rows: data.length / 2, cols: 2 });
const [good, bad, wide] = [
  matrix(1, 0, 0, 1),
  matrix(1, 0, Number.NaN, 1),
  { ...matrix(1, 0, 0, 1, 1, 1), rows: 2, cols: 3 },
];
const labels = Int32Array.of(0, 1);
const image = (value: number) => tf.fill([1, 8, 8, 1], value) as tf.Tensor4D;
const attack = (
  images: tf.Tensor4D,
  settings = pgd({ epsilon: 0.1, steps: 2 }) as Parameters<typeof runAttack>[0]['settings'],
  model = after((e) => e),
) =>
  Promise.resolve().then(() =>
    runAttack({ model, images, objective: objective('embedding-shift'), settings, seed: 1 }),
  );
const ranking = {
  distances: new Float32Array(4),
  ...{ rows: 2, cols: 2, queryLabels: labels, labels, self: labels },
};

it.each<[string, () => Promise<unknown>, RegExp]>([
  ['clusters of NaN', () => clusterEmbeddings(bad, { k: 1 }), /finite values in embeddings but received NaN in row 1/],
  ['more clusters than rows', () => clusterEmbeddings(good, { k: 3 }), /at most 2 \(the rows of embeddings\) for k/],
  ['assignment of NaN', () => assignToCentroids(bad, good), /finite values in embeddings/],
  ['assignment of other columns', () => assignToCentroids(good, wide), /embeddings/],
  ['class means of NaN', () => attackContext(bad, labels), /finite values in embeddings/],
  [
    'ranks of NaN',
    () => rankingMeasures('LTM', { attacked: bad, clean: good, gallery: good, ranking, targets: labels }),
    /finite values in attacked/,
  ],
  [
    'ranks in a gallery of NaN',
    () => rankingMeasures('LTM', { attacked: good, clean: good, gallery: bad, ranking, targets: labels }),
    /finite values in gallery/,
  ],
  ['images outside the box', () => attack(image(1.5)), /images/],
  ['images of NaN', () => attack(image(Number.NaN)), /images/],
  ['images outside the box, random search', () => attack(image(-1), square({ epsilon: 0.1, steps: 2 })), /images/],
  [
    'a gradient of NaN',
    () => attack(image(0.5), fgsm({ epsilon: 0.1 }), nanGradient),
    /finite values in the gradient by images/,
  ],
  [
    'a gradient of NaN, adaptive, l2',
    () => attack(image(0.5), apgd({ epsilon: 0.1, steps: 2, norm: 'l2' }), nanGradient),
    /images/,
  ],
  [
    'a start of another shape',
    async () =>
      runAttack({
        ...{ model: after((e) => e), images: image(0.5), objective: objective('embedding-shift'), seed: 1 },
        ...{ settings: pgd({ epsilon: 0.1, steps: 1 }), start: tf.zeros([2, 8, 8, 1]) as tf.Tensor4D },
      }),
    /start/,
  ],
  ['a model that gives NaN', () => evaluate(nan, data, { backend: 'cpu', attacks: [] }), /embeddings/],
  [
    'reference images of another size',
    () =>
      evaluate(
        after((e) => e),
        data,
        { backend: 'cpu', attacks: [], reference: tinyImages({ size: 6 }) },
      ),
    /reference/,
  ],
  [
    'fewer reference images than clusters',
    () =>
      evaluate(
        after((e) => e),
        data,
        { backend: 'cpu', attacks: [], reference: tinyImages({ classes: 3, perClass: 1 }) },
      ),
    /at least 4 images, as many as clusters, for reference but received 3/,
  ],
])('%s: the message names what the user gave', async (_, call, message) => {
  const error = await call().then(
    () => undefined,
    (e) => e,
  );
  expect(error).toMatchObject({ name: 'EatDmlError', message: expect.stringMatching(message) });
  expect(error.message).not.toMatch(INTERNAL);
});
