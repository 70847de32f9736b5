import * as tf from '#tf';
import type { RandomStream } from '../random.js';
import type { CommonSettings } from './rules/common.js';

/** Perturbations [n, h, w, c] uniform in the ball of the settings. */
export function randomPerturbation(
  shape: number[],
  { norm, epsilon }: Pick<CommonSettings, 'norm' | 'epsilon'>,
  random: RandomStream,
) {
  const [count, ...sample] = shape;
  const size = sample.reduce((a, b) => a * b, 1);
  const delta = new Float32Array(count * size);
  for (let i = 0; i < count; i++) {
    const row = delta.subarray(i * size, (i + 1) * size);
    if (norm === 'linf') fillCube(row, epsilon, random);
    else if (norm === 'l1') fillCrossPolytope(row, epsilon, random);
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

/** Laplace values over their sum of lengths and one more exponential are uniform in the l1 ball (Barthe et al., 2005). */
function fillCrossPolytope(row: Float32Array, epsilon: number, random: RandomStream): void {
  const exponential = () => -Math.log(1 - random.uniform());
  let sum = exponential();
  for (let j = 0; j < row.length; j++) {
    const length = exponential();
    row[j] = random.uniform() < 0.5 ? -length : length;
    sum += length;
  }
  for (let j = 0; j < row.length; j++) row[j] *= epsilon / sum;
}
