import * as tf from '@tensorflow/tfjs';
import { expect, test, vi } from 'vitest';
import {
  attackStepSync,
  type Metric,
  type Norm,
  nearestCentroidSync,
  pairwiseDistanceSync,
  projectPerturbationSync,
} from '../../src/kernels/index.js';
import {
  attackStepTensor,
  nearestCentroidTensor,
  pairwiseDistanceTensor,
  projectTensor,
  resetTensorKernelCalls,
  type TensorPath,
  tensorKernelCalls,
} from '../../src/tfjs/index.js';
import { difference, noise } from './close.js';
import { tensorflowBackend, watchedBinding } from './tensorflow.js';

const N = 5;
const D = 84;
const matrix = (data: Float32Array, rows = N, cols = D) => ({ data, rows, cols });
const tensor = (data: Float32Array) => tf.tensor4d(data.slice(), [N, 6, 7, 2]);
const origin = noise([N, D], 'origin').map(Math.abs);
const current = origin.map((v) => Math.min(1, v + 0.01));
const gradient = noise([N, D], 'gradient');
const box: [number, number] = [0, 1];
const norms: Norm[] = ['linf', 'l2', 'l1'];

/** What every device's kernels behind the custom ops must do; `path` is what they call themselves. */
export function customOpTests(path: TensorPath): void {
  test.each(norms)('an %s step is the reference’s, and never leaves ball or box', async (norm) => {
    await tensorflowBackend();
    const settings = { norm, epsilon: 0.3, stepSize: 0.1, box };
    const [values] = tf.tidy(() => [
      attackStepTensor({
        origin: tensor(origin),
        current: tensor(current),
        gradient: tensor(gradient),
        ...settings,
      }).dataSync(),
    ]);
    const matrices = { origin: matrix(origin), current: matrix(current), gradient: matrix(gradient) };
    const expected = attackStepSync({ ...matrices, ...settings, device: 'js' });
    expect(difference(values, expected.data)).toBeLessThanOrEqual(1e-6);
    expect(values.every((v) => v >= 0 && v <= 1)).toBe(true);
    // epsilon reaches the op as a double: rounded to float32 (0.30000001) linf steps would leave the ball.
    if (norm === 'linf') expect(values.every((v, i) => Math.abs(v - origin[i]) <= 0.3)).toBe(true);
  });

  test.each(norms)('a projection onto %s is the reference’s, with and without a box', async (norm) => {
    await tensorflowBackend();
    const around = noise([N, D], 'around').map(Math.abs);
    const options = { norm, epsilon: 0.7 };
    const [free, boxed] = tf.tidy(() => [
      projectTensor(tensor(gradient), options).dataSync(),
      projectTensor(tensor(gradient), { ...options, around: tensor(around), box }).dataSync(),
    ]);
    const js = { ...options, device: 'js' } as const;
    expect(difference(free, projectPerturbationSync(matrix(gradient), js).data)).toBeLessThanOrEqual(1e-6);
    const expected = projectPerturbationSync(matrix(gradient), { ...js, around: matrix(around), box });
    expect(difference(boxed, expected.data)).toBeLessThanOrEqual(1e-6);
  });

  test.each<Metric>(['sqeuclidean', 'euclidean', 'cosine', 'dot'])('%s is the reference’s', async (metric) => {
    await tensorflowBackend();
    const a = noise([2, 7, 12], 'a');
    const b = noise([2, 9, 12], 'b');
    const [batched, plain] = tf.tidy(() => [
      pairwiseDistanceTensor(tf.tensor3d(a, [2, 7, 12]), tf.tensor3d(b, [2, 9, 12]), { metric }).dataSync(),
      pairwiseDistanceTensor(tf.tensor2d(a, [14, 12]), tf.tensor2d(b, [18, 12]), { metric }).dataSync(),
    ]);
    const js = { metric, device: 'js' } as const;
    const [x, y] = [matrix(a, 7, 12), matrix(b, 9, 12)];
    const expected = pairwiseDistanceSync({ ...x, batch: 2 }, { ...y, batch: 2 }, js);
    expect(difference(batched, expected.data)).toBeLessThanOrEqual(1e-5);
    const all = pairwiseDistanceSync(matrix(a, 14, 12), matrix(b, 18, 12), js);
    expect(difference(plain, all.data)).toBeLessThanOrEqual(1e-5);
  });

  test('the nearest centroid is the reference’s', async () => {
    await tensorflowBackend();
    const points = noise([40, 9], 'points');
    const centroids = noise([6, 9], 'centroids');
    const found = tf.tidy(() => {
      const result = nearestCentroidTensor(tf.tensor2d(points, [40, 9]), tf.tensor2d(centroids, [6, 9]));
      return Object.values(result).map((t) => t.dataSync());
    });
    const expected = nearestCentroidSync(matrix(points, 40, 9), matrix(centroids, 6, 9), { device: 'js' });
    expect(Array.from(found[0])).toEqual(Array.from(expected.labels));
    expect(difference(found[1], expected.distances)).toBeLessThanOrEqual(1e-5);
    expect(difference(found[2], expected.secondDistances)).toBeLessThanOrEqual(1e-5);
  });

  test('no value of a tensor passes through JavaScript', async () => {
    const { binding, restore } = await watchedBinding();
    const inputs = [origin, current, gradient].map(tensor);
    const [x0, x, g] = inputs.map((t) => tf.mul(t, 1)); // on TensorFlow's side
    const reads = vi.spyOn(binding, 'tensorDataSync');
    const writes = vi.spyOn(binding, 'createTensor');
    resetTensorKernelCalls();
    const settings = { norm: 'linf', epsilon: 0.3, stepSize: 0.1, box } as const;
    const steps = [x];
    for (let i = 0; i < 10; i++) {
      steps.push(attackStepTensor({ origin: x0, current: steps[i], gradient: g, ...settings }));
    }
    expect(reads).not.toHaveBeenCalled();
    // What was made is the settings of each step: six doubles.
    expect(writes.mock.calls.map(([shape]) => shape)).toEqual(Array.from({ length: 10 }, () => [12]));
    expect(tensorKernelCalls()).toMatchObject([{ kernel: 'attackStep', path, calls: 10, bytesCopied: 0 }]);
    restore();
    tf.dispose([...inputs, ...steps, x0, g]);
  });

  test('what does not fit is named as the kernels name it, and leaves nothing behind', async () => {
    const backend = await tensorflowBackend();
    const bad = gradient.slice();
    bad[2 * D + 1] = Number.NaN;
    const inputs = [origin, current, gradient, bad, origin.map((v) => v + 2)].map(tensor);
    const [x0, x, g, notFinite, outside] = inputs;
    const step = { norm: 'l2', epsilon: 0.3, stepSize: 0.1, box } as const;
    attackStepTensor({ origin: x0, current: x, gradient: g, ...step }).dispose();
    const wrong = [
      [{ origin: x0, current: x, gradient: notFinite }, 'ERR_NOT_FINITE', /NaN in row 2/],
      [{ origin: outside, current: x, gradient: g }, 'ERR_ARGUMENT', /origin to lie in the box/],
      [{ origin: x0, current: x, gradient: g, epsilon: -1 }, 'ERR_ARGUMENT', /epsilon/],
      [{ origin: x0, current: x, gradient: g, norm: 'l3' }, 'ERR_ARGUMENT', /norm/],
      [{ origin: x0, current: x, gradient: g, steps: 1 }, 'ERR_ARGUMENT', /steps/],
    ] as const;
    // The values of a tensor go over to TensorFlow when an op first reads it.
    for (const t of inputs) tf.mul(t, 1).dispose();
    const before = [tf.memory().numTensors, backend.getNumOfTFTensors()];
    for (const [changed, code, message] of wrong) {
      let error: unknown;
      try {
        attackStepTensor({ ...step, ...changed } as never);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    }
    expect([tf.memory().numTensors, backend.getNumOfTFTensors()]).toEqual(before);
    tf.dispose(inputs);
  });
}
