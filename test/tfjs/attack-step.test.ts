import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { attackStepSync, projectPerturbationSync } from '../../src/kernels/index.js';
import { attackStepTensor, chooseBackend, fromMatrix, projectTensor, toMatrix } from '../../src/tfjs/index.js';
import { backends } from './backends.js';
import { noise, on } from './close.js';

const SHAPE = [5, 6, 7, 2] as [number, number, number, number];
const matrix = (data: Float32Array) => ({ data, rows: 5, cols: 84 });
const origin = noise(SHAPE, 'origin').map(Math.abs);
const current = origin.map((v) => Math.min(1, v + 0.01));
const gradient = noise(SHAPE, 'gradient');

describe.each(backends)('on %s', (name) => {
  test.each(['linf', 'l2', 'l1'] as const)('an %s attack step is the kernel’s', async (norm) => {
    await chooseBackend({ backend: name });
    const settings = { norm, epsilon: 0.3, stepSize: 0.1, box: [0, 1] as [number, number] };
    const [{ values, shape }] = await on(name, () =>
      attackStepTensor({
        origin: tf.tensor4d(origin.slice(), SHAPE),
        current: tf.tensor4d(current.slice(), SHAPE),
        gradient: tf.tensor4d(gradient.slice(), SHAPE),
        ...settings,
      }),
    );
    const expected = attackStepSync({
      origin: matrix(origin),
      current: matrix(current),
      gradient: matrix(gradient),
      ...settings,
    });
    expect(shape).toEqual(SHAPE);
    expect(values).toEqual(Array.from(expected.data));
  });

  test('a projection is the kernel’s, with and without a box', async () => {
    await chooseBackend({ backend: name });
    const around = noise(SHAPE, 'around').map(Math.abs);
    const results = await on(name, () => {
      const delta = tf.tensor4d(gradient.slice(), SHAPE);
      return [
        projectTensor(delta, { norm: 'l2', epsilon: 0.5 }),
        projectTensor(delta, { norm: 'l1', epsilon: 2, around: tf.tensor4d(around.slice(), SHAPE), box: [0, 1] }),
      ];
    });
    const expected = [
      projectPerturbationSync(matrix(gradient), { norm: 'l2', epsilon: 0.5 }),
      projectPerturbationSync(matrix(gradient), { norm: 'l1', epsilon: 2, around: matrix(around), box: [0, 1] }),
    ];
    expect(results.map(({ values }) => values)).toEqual(expected.map(({ data }) => Array.from(data)));
  });

  test('inputs stay as they were', async () => {
    await chooseBackend({ backend: name });
    const inputs = [origin, current, gradient].map((v) => tf.tensor4d(v.slice(), SHAPE));
    const settings = { norm: 'linf', epsilon: 0.3, stepSize: 0.1 } as const;
    const result = attackStepTensor({ origin: inputs[0], current: inputs[1], gradient: inputs[2], ...settings });
    expect(inputs.map((t) => t.dataSync())).toEqual([origin, current, gradient]);
    tf.dispose([result, ...inputs]);
  });

  test('a matrix goes into a tensor and back', async () => {
    await chooseBackend({ backend: name });
    const m = { data: noise([3, 4], 'm'), rows: 3, cols: 4 };
    const t = fromMatrix(m);
    expect(await toMatrix(t)).toEqual(m);
    expect(t.shape).toEqual([3, 4]);
    t.dispose();
  });

  test('what does not fit is named', async () => {
    await chooseBackend({ backend: name });
    const t = tf.tensor2d(noise([3, 4]), [3, 4]);
    const other = tf.tensor2d(noise([4, 3]), [4, 3]);
    const step = { norm: 'linf', epsilon: 0.1, stepSize: 0.1 } as const;
    expect(() => attackStepTensor({ origin: t, current: other, gradient: t, ...step })).toThrow(
      /shape \[3,4\] for current/,
    );
    expect(() => attackStepTensor({ origin: t, current: t, gradient: other, ...step })).toThrow(/for gradient/);
    expect(() => projectTensor(tf.tensor2d([1, 2], [1, 2], 'int32'), { norm: 'l2', epsilon: 1 })).toThrow(/for delta/);
    expect(() => projectTensor(t, { norm: 'l2', epsilon: -1 })).toThrow(/epsilon/);
    await expect(toMatrix(tf.tensor1d([1]) as never)).rejects.toThrow(/for tensor/);
    expect(() => fromMatrix({ data: new Float32Array(8), rows: 2, cols: 2, batch: 2 })).toThrow(/for matrix/);
    tf.dispose([t, other]);
  });
});
