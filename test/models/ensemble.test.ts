import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { convEmbedder, Ensemble } from '../../src/models/index.js';
import { tinyImages } from './tiny-images.js';

const build = (members: number) => {
  const spec = convEmbedder({ dimension: 4, width: 2 });
  return new Ensemble(Array.from({ length: members }, (_, i) => spec.build([8, 8, 1], i)));
};
const images = (n: number) => tf.randomUniform<tf.Rank.R4>([n, 8, 8, 1], 0, 1, 'float32', 5);

/** Squared distances of all pairs of rows. */
function squaredDistances(e: tf.Tensor2D): Float32Array {
  return tf.tidy(() => {
    const [n, d] = e.shape;
    const difference = tf.sub(tf.reshape(e, [n, 1, d]), tf.reshape(e, [1, n, d]));
    return tf.sum(tf.square(difference), 2).dataSync<'float32'>();
  });
}

beforeAll(() => tf.setBackend('cpu'));

describe('Ensemble', () => {
  it('has the mean of its members squared distances, and unit rows', () => {
    const ensemble = build(3);
    const x = images(6);
    const whole = squaredDistances(ensemble.apply(x));
    const parts = ensemble.members.map((member) => squaredDistances(member.apply(x)));
    for (const [i, distance] of whole.entries()) {
      expect(distance).toBeCloseTo((parts[0][i] + parts[1][i] + parts[2][i]) / 3, 5);
    }
    for (const length of tf.norm(ensemble.apply(x), 2, 1).dataSync()) expect(length).toBeCloseTo(1, 5);
    expect(ensemble.embedding).toBe(12);
    ensemble.dispose();
  });

  it('embeds a tensor to a tensor in batches, leaves it alone and leaks nothing', async () => {
    const ensemble = build(2);
    const x = images(7);
    const before = tf.memory().numTensors;
    const e = await ensemble.embed(x, { batchSize: 3 });
    expect(tf.memory().numTensors).toBe(before + 1);
    const whole = ensemble.apply(x);
    expect(Array.from(e.dataSync())).toEqual(Array.from(whole.dataSync()));
    ensemble.dispose();
  });

  it('embeds a dataset to a matrix, and floats in [0, 1] to the same', async () => {
    const ensemble = build(2);
    const data = tinyImages();
    const before = tf.memory().numTensors;
    const matrix = await ensemble.embed(data, { batchSize: 10 });
    expect([matrix.rows, matrix.cols, matrix.data.length]).toEqual([data.length, 8, data.length * 8]);
    const floats = Float32Array.from(data.images, (pixel) => pixel / 255);
    expect(await ensemble.embed({ images: floats, shape: data.shape })).toEqual(matrix);
    expect(tf.memory().numTensors).toBe(before);
    ensemble.dispose();
  });

  it('stops when aborted', async () => {
    const ensemble = build(1);
    const before = tf.memory().numTensors;
    const embedding = ensemble.embed(tinyImages(), { batchSize: 1, signal: AbortSignal.timeout(0) });
    await expect(embedding).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(tf.memory().numTensors).toBe(before);
    ensemble.dispose();
  });

  it('refuses no members, no images and pixels that are no whole images', async () => {
    const code = { code: 'ERR_ARGUMENT' };
    expect(() => new Ensemble([])).toThrow(expect.objectContaining(code));
    const ensemble = build(1);
    await expect(ensemble.embed(tf.zeros([0, 8, 8, 1]))).rejects.toMatchObject(code);
    await expect(ensemble.embed({ images: new Uint8Array(65), shape: [8, 8, 1] })).rejects.toMatchObject(code);
    await expect(ensemble.embed({ images: [1] as never, shape: [8, 8, 1] })).rejects.toMatchObject(code);
    await expect(ensemble.embed(tinyImages(), { batchSize: 0 })).rejects.toMatchObject(code);
    ensemble.dispose();
  });
});
