/**
 * One training step (forward, gradients, Adam) and one attack step (gradient by the images, projected step) of the demo's
 * network on every backend, taking turns: `npx tsx bench/training-step.ts [rounds] [backend ...]`.
 */
import * as tf from '@tensorflow/tfjs';
import { proxyAnchor } from '../src/losses/index.js';
import { convEmbedder } from '../src/models/index.js';
import { randomStream } from '../src/random.js';
import { attackStepTensor, type BackendName, backendReport, chooseBackend } from '../src/tfjs/index.js';

const BATCH = 64;
const CLASSES = 10;

/** The two steps on the backend that is set now. */
function steps() {
  const net = convEmbedder({ embedding: 64, width: 32 }).build([28, 28, 1], 1);
  const numbers = (name: string, count: number) => Float32Array.from(randomStream(1, name).uniforms(count));
  const images = tf.tensor4d(numbers('images', BATCH * 784), [BATCH, 28, 28, 1]);
  const labels = tf.tensor1d(
    Int32Array.from({ length: BATCH }, (_, i) => i % CLASSES),
    'int32',
  );
  const proxies = tf.variable<tf.Rank.R2>(tf.tensor2d(numbers('proxies', CLASSES * 64), [CLASSES, 64]).sub(0.5));
  const loss = proxyAnchor();
  const optimizer = tf.train.adam(1e-3);
  return {
    train: () =>
      tf.tidy(() => {
        const variables = [...net.variables(), proxies as unknown as tf.Variable];
        const { value, grads } = tf.variableGrads(() => loss(net.apply(images, true), labels, proxies), variables);
        optimizer.applyGradients(grads as never);
        return value.dataSync()[0];
      }),
    attack: () =>
      tf.tidy(() => {
        const gradient = tf.grad((x) => loss(net.apply(x as tf.Tensor4D), labels, proxies))(images) as tf.Tensor4D;
        const settings = { norm: 'linf', epsilon: 0.1, stepSize: 0.02, box: [0, 1] as [number, number] } as const;
        return attackStepTensor({ origin: images, current: images, gradient, ...settings }).dataSync()[0];
      }),
  };
}

const rounds = Number(process.argv[2] ?? 10);
const asked = process.argv.slice(3);
const report = await backendReport();
// A step on plain JavaScript takes minutes; it runs only when asked for.
const names = report.filter(
  ({ name, available }) => available && (asked.length ? asked.includes(name) : name !== 'cpu'),
);
const times = new Map<string, number[]>();
const tasks = new Map<BackendName, ReturnType<typeof steps>>();
for (const { name } of names) {
  await chooseBackend({ backend: name });
  tasks.set(name, steps());
}
for (let round = 0; round < rounds; round++) {
  for (const [name, task] of tasks) {
    await tf.setBackend(name);
    for (const [step, run] of Object.entries(task)) {
      const start = performance.now();
      run();
      const key = `${name} ${step}`;
      times.set(key, [...(times.get(key) ?? []), performance.now() - start]);
    }
  }
}
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
for (const { name, detail } of report) console.log(`${name}: ${detail}`);
console.log(`batch ${BATCH} of 28x28x1, median and least of ${rounds} rounds, ms`);
for (const step of ['train', 'attack']) {
  for (const { name } of names) {
    const t = times.get(`${name} ${step}`)!;
    console.log(
      `${step.padEnd(8)}${name.padEnd(12)}${median(t).toFixed(1).padStart(10)}${Math.min(...t)
        .toFixed(1)
        .padStart(10)}`,
    );
  }
}
