import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { randomStream } from '../../src/random.js';

/** The largest |a - b| / max(1, |b|); Infinity where the lengths or the places of NaN differ. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    if (Number.isNaN(a[i]) !== Number.isNaN(b[i])) return Infinity;
    if (Object.is(a[i], b[i]) || Number.isNaN(a[i]) || a[i] === b[i]) continue;
    largest = Math.max(largest, Math.abs(a[i] - b[i]) / Math.max(1, Math.abs(b[i])));
  }
  return largest;
}

/** Numbers in [-1, 1) with some exact zeros. */
export function noise(shape: number[], ...path: (string | number)[]): Float32Array {
  const { uniforms } = randomStream(17, 'noise', ...path, ...shape);
  return Float32Array.from(uniforms(tf.util.sizeFromShape(shape)), (u) => (u < 0.05 ? 0 : 2 * u - 1));
}

/** What `op` gives on `backend` as plain arrays: values, shapes and dtypes; checks that no tensor is left behind. */
export async function on(backend: string, op: () => tf.Tensor | tf.Tensor[]) {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const outputs = [tf.tidy(op)].flat();
  const results = outputs.map((t) => ({ values: Array.from(t.dataSync()), shape: t.shape, dtype: t.dtype }));
  tf.dispose(outputs);
  expect(tf.memory().numTensors, `tensors left on ${backend}`).toBe(before);
  return results;
}

/** The same operation on two backends, to `tolerance` of max(1, |value|). */
export async function expectSame(backend: string, op: () => tf.Tensor | tf.Tensor[], tolerance = 1e-4): Promise<void> {
  const expected = await on('cpu', op);
  const received = await on(backend, op);
  expect(received.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    expected.map(({ shape, dtype }) => ({ shape, dtype })),
  );
  received.forEach(({ values }, i) => {
    expect(difference(values, expected[i].values), `output ${i} on ${backend}`).toBeLessThanOrEqual(tolerance);
  });
}
