/**
 * An linf attack step as custom op beside the same step composed of tfjs operations, on tfjs-node, taking turns:
 * `npx tsx bench/tensorflow.ts [rounds] [n,h,w,c]`.
 */
import * as tf from '@tensorflow/tfjs';
import { randomStream } from '../src/random.js';
import { attackStepTensor, chooseBackend, resetTensorKernelCalls, tensorKernelCalls } from '../src/tfjs/index.js';

const rounds = Number(process.argv[2] ?? 15);
const shape = (process.argv[3] ?? '64,224,224,3').split(',').map(Number) as [number, number, number, number];
const [epsilon, stepSize] = [0.03, 0.01];

const { reason } = await chooseBackend({ backend: 'tensorflow' });
const numbers = (name: string) => Float32Array.from(randomStream(1, name).uniforms(tf.util.sizeFromShape(shape)));
// Multiplied once, so that the values are in TensorFlow's memory.
const [origin, current, gradient] = ['origin', 'current', 'gradient'].map((name) =>
  tf.tidy(() => tf.mul<tf.Tensor4D>(tf.tensor4d(numbers(name), shape), 1)),
);

const ways: Record<string, () => tf.Tensor> = {
  'custom op': () => attackStepTensor({ origin, current, gradient, norm: 'linf', epsilon, stepSize, box: [0, 1] }),
  composed: () =>
    tf.tidy(() => {
      const moved = tf.add(current, tf.mul(tf.sign(gradient), stepSize));
      const inBall = tf.minimum(tf.maximum(moved, tf.sub(origin, epsilon)), tf.add(origin, epsilon));
      return tf.clipByValue(inBall, 0, 1);
    }),
};

const times: Record<string, number[]> = { 'custom op': [], composed: [] };
const results = Object.values(ways).map((way) => way());
const apart = tf.tidy(() => tf.max(tf.abs(tf.sub(results[0], results[1]))).dataSync()[0]);
tf.dispose(results);
resetTensorKernelCalls();
for (let round = 0; round < rounds; round++) {
  for (const [name, way] of Object.entries(ways)) {
    const start = performance.now();
    way().dispose();
    times[name].push(performance.now() - start);
  }
}
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
console.log(reason);
console.log(`linf step, ${shape.join('x')}, median and least of ${rounds} rounds, ms`);
for (const [name, values] of Object.entries(times)) {
  console.log(
    `${name.padEnd(12)}${median(values).toFixed(2).padStart(10)}${Math.min(...values)
      .toFixed(2)
      .padStart(10)}`,
  );
}
console.log(`ratio ${(median(times.composed) / median(times['custom op'])).toFixed(2)}; largest difference ${apart}`);
const [{ calls, bytesCopied }] = tensorKernelCalls();
console.log(`${calls} custom-op calls copied ${bytesCopied} bytes through JavaScript`);
