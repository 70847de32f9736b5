import * as tf from '@tensorflow/tfjs';
import type { RandomStream } from '../random.js';
import type { AttackSettings } from './settings.js';

/** Perturbations [n, h, w, c] uniform in the ball of the settings. */
export function randomPerturbation(shape: number[], { norm, epsilon }: AttackSettings, random: RandomStream) {
  const [count, ...sample] = shape;
  const size = sample.reduce((a, b) => a * b, 1);
  const delta = new Float32Array(count * size);
  for (let i = 0; i < count; i++) {
    const row = delta.subarray(i * size, (i + 1) * size);
    if (norm === 'linf') fillCube(row, epsilon, random);
    else fillBall(row, epsilon, random);
  }
  return tf.tensor4d(delta, shape as [number, number, number, number]);
}

function fillCube(row: Float32Array, epsilon: number, random: RandomStream): void {
  for (let j = 0; j < row.length; j++) row[j] = epsilon * (2 * random.uniform() - 1);
}

/** A normal vector has a uniform direction; the radius of a uniform point has distribution epsilon u^{1/d}. */
function fillBall(row: Float32Array, epsilon: number, random: RandomStream): void {
  let squares = 0;
  for (let j = 0; j < row.length; j++) {
    row[j] = random.normal();
    squares += row[j] ** 2;
  }
  const scale = (epsilon * random.uniform() ** (1 / row.length)) / Math.sqrt(squares);
  for (let j = 0; j < row.length; j++) row[j] *= scale;
}
