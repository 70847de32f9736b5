import * as tf from '@tensorflow/tfjs';
import { expectSame, noise } from './close.js';

export const tensor = <T extends tf.Tensor = tf.Tensor>(shape: number[], name = 'x') =>
  tf.tensor(noise(shape, name), shape) as T;
export const withNaN = (shape: number[]) => {
  const values = noise(shape, 'nan');
  values[Math.floor(values.length / 2)] = Number.NaN;
  return tf.tensor(values, shape);
};
export const same = (op: () => tf.Tensor | tf.Tensor[], tolerance = 1e-5) => expectSame('native', op, tolerance);
export const differentiated = (op: (...inputs: tf.Tensor[]) => tf.Tensor, ...shapes: number[][]) => {
  const loss = (...inputs: tf.Tensor[]) => tf.sum(tf.square(op(...inputs)));
  return same(() => {
    const inputs = shapes.map((shape, i) => tensor(shape, `input ${i}`));
    return [op(...inputs), ...tf.grads(loss)(inputs)];
  }, 1e-4);
};
