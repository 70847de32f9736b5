import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluate, evaluateRanking } from '../../src/evaluation/index.js';
import { convEmbedder, type Embedder, Ensemble } from '../../src/models/index.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { train } from '../../src/training/index.js';
import { tinyImages } from './tiny-images.js';

const data = tinyImages({ perClass: 2 });
const model = convEmbedder({ dimension: 3, width: 1 });
let member: Embedder;

beforeAll(async () => {
  await chooseBackend({ backend: 'cpu' });
  member = model.build([8, 8, 1], 1);
});

afterAll(() => member.dispose());

function disposed(tensor: tf.Tensor): tf.Tensor {
  tensor.dispose();
  return tensor;
}

/** The member with another function in its place. */
const behaving = (apply: (x: tf.Tensor4D) => tf.Tensor2D): Embedder =>
  Object.assign(Object.create(member), { ...member, apply });

describe('embed', () => {
  const pixels = Float32Array.from(data.images, (pixel) => pixel / 255);
  const spoilt = (value: number) => {
    const images = pixels.slice();
    images[3 * 64 + 5] = value;
    return images;
  };

  it.each([
    [255, 'ERR_ARGUMENT', /^Expected pixels in \[0, 1\] in images but received 255 in image 3\.$/],
    [-0.5, 'ERR_ARGUMENT', /received -0\.5 in image 3/],
    [Number.NaN, 'ERR_NOT_FINITE', /^Expected finite pixels in images but received NaN in image 3\.$/],
  ])(
    'refuses a pixel of %s in arrays and tensors, in whichever batch, and leaks nothing',
    async (value, code, message) => {
      const ensemble = new Ensemble([member]);
      const images = spoilt(value);
      const tensor = tf.tensor4d(images, [data.length, 8, 8, 1]);
      const expected = { code, message: expect.stringMatching(message) };
      const before = tf.memory().numTensors;
      for (const batchSize of [1, 2, 256]) {
        await expect(ensemble.embed({ images, shape: data.shape }, { batchSize })).rejects.toMatchObject(expected);
        await expect(ensemble.embed(tensor, { batchSize })).rejects.toMatchObject(expected);
      }
      expect(tf.memory().numTensors).toBe(before);
      tensor.dispose();
    },
  );

  it('takes black and white', async () => {
    const images = Float32Array.from({ length: 128 }, (_, i) => i % 2);
    await expect(new Ensemble([member]).embed({ images, shape: [8, 8, 1] })).resolves.toMatchObject({ rows: 2 });
  });

  it.each<[string, unknown, RegExp]>([
    ['bytes in a tensor', () => tf.ones([1, 8, 8, 1], 'int32'), /float32.*an int32 tensor \[1, 8, 8, 1\]/],
    ['a disposed tensor', () => disposed(tf.ones([1, 8, 8, 1])), /a disposed float32 tensor/],
    ['another size', () => ({ images: new Uint8Array(49), shape: [7, 7, 1] }), /the model's \[8, 8, 1\] for shape/],
    ['no shape', () => ({ images: new Uint8Array(64) }), /shape/],
    ['a list of images', () => [new Uint8Array(64)], /images/],
  ])('refuses %s', async (_, make, message) => {
    const call = new Ensemble([member]).embed((make as () => never)());
    await expect(call).rejects.toMatchObject({ code: 'ERR_ARGUMENT', message: expect.stringMatching(message) });
  });
});

describe('evaluate', () => {
  const scaled = (by: number) => behaving((x) => tf.mul(member.apply(x), by));
  const raw = () => behaving((x) => tf.slice(tf.reshape(x, [-1, 64]), [0, 0], [-1, 3]) as tf.Tensor2D);

  it.each<[string, () => Embedder[], string, RegExp]>([
    [
      'rows of length 2',
      () => [scaled(2)],
      'ERR_ARGUMENT',
      /unit length from ensemble\.members\[0\] but received length 2 in row 0/,
    ],
    ['raw rows', () => [raw()], 'ERR_ARGUMENT', /unit length/],
    ['one of two members', () => [member, scaled(2)], 'ERR_ARGUMENT', /members\[1\]/],
    [
      'lengths that cancel out in the ensemble',
      () => [scaled(Math.SQRT1_2), scaled(Math.sqrt(1.5))],
      'ERR_ARGUMENT',
      /members\[0\]/,
    ],
    ['NaN', () => [scaled(Number.NaN)], 'ERR_NOT_FINITE', /members\[0\].*row 0/],
  ])('refuses embeddings that are no unit rows: %s', async (_, members, code, message) => {
    const ensemble = new Ensemble(members());
    const expected = { code, message: expect.stringMatching(message) };
    const before = tf.memory().numTensors;
    await expect(evaluate(ensemble, data, { attacks: [], backend: 'cpu' })).rejects.toMatchObject(expected);
    await expect(evaluateRanking(ensemble, data, { steps: 1, backend: 'cpu' })).rejects.toMatchObject(expected);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses data of another size', async () => {
    const ensemble = new Ensemble([member]);
    const larger = tinyImages({ perClass: 2, size: 9 });
    const code = 'ERR_ARGUMENT';
    const size = { code, message: "Expected the ensemble's [8, 8, 1] for data.shape but received [9, 9, 1]." };
    await expect(evaluate(ensemble, larger)).rejects.toMatchObject(size);
    await expect(evaluateRanking(ensemble, larger)).rejects.toMatchObject(size);
    await expect(evaluate(ensemble, data, { reference: larger })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/reference\.shape/),
    });
  });
});

describe('an ensemble that is disposed', () => {
  it('embeds nothing more, and may be disposed again', async () => {
    const ensemble = new Ensemble([model.build([8, 8, 1], 2)]);
    ensemble.dispose();
    ensemble.dispose();
    const expected = { code: 'ERR_ARGUMENT', message: 'Expected an ensemble but received one that is disposed.' };
    await expect(ensemble.embed(data)).rejects.toMatchObject(expected);
    await expect(evaluate(ensemble, data, { backend: 'cpu' })).rejects.toMatchObject(expected);
    expect(() => ensemble.apply(tf.zeros([1, 8, 8, 1]))).toThrow(expect.objectContaining(expected));
  });
});

describe('what is no embedder', () => {
  const dense = () => tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] });

  it.each<[string, () => unknown[]]>([
    ['a network of layers', () => [dense()]],
    ['nothing', () => []],
    ['undefined', () => [undefined]],
    ['a specification', () => [model]],
  ])('is refused as a member: %s', (_, members) => {
    expect(() => new Ensemble(members() as Embedder[])).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
  });

  it('members of two sizes are no ensemble', () => {
    const other = model.build([9, 9, 1], 1);
    expect(() => new Ensemble([member, other])).toThrow(
      /one input shape but received \[8,8,1\] and \[9,9,1\] in members\[1\]/,
    );
    other.dispose();
  });

  it('is refused as a model, and as what a model builds', async () => {
    const code = 'ERR_ARGUMENT';
    const given = { data, backend: 'cpu' as const, epochs: 1 };
    await expect(train({ ...given, model: dense() as never })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/specification like convEmbedder\(\) for model/),
    });
    const builds = { ...model, build: () => dense() as never };
    await expect(train({ ...given, model: builds })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/an embedder.*for model\.build/),
    });
  });
});
