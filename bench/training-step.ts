/**
 * One training step (forward, gradients, AdamW) and one attack step (gradient by the images, projected step; weights frozen, as
 * in an attack) on every backend that is installed, taking turns: `npx tsx bench/training-step.ts [conv|resnet18] [rounds]
 * [backend ...]`. `conv` is the demo's network on 28x28x1 images, `resnet18` ResNet-18 on 64x64x3; batches of 64. Also the
 * loss after 20 steps, which should be one number. PyTorch's side: `python bench/peers/training_step.py --net conv`.
 */
import * as tf from '@tensorflow/tfjs';
import { proxyAnchor } from '../src/losses/index.js';
import { resnet18 } from '../src/models/backbones/resnet.js';
import { convEmbedder, type ModelSpec } from '../src/models/index.js';
import { randomStream } from '../src/random.js';
import { attackStepTensor, type BackendName, backendReport, chooseBackend } from '../src/tfjs/index.js';
import { AdamW } from '../src/training/adamw.js';

const BATCH = 64;
const CLASSES = 10;
const COLUMNS = 64;
const COUNTED_STEPS = 20;
/** In a row before the next backend: in training, too, a step follows its like. */
const STEPS_PER_TURN = 5;

const nets: Record<string, { shape: [number, number, number]; model: ModelSpec }> = {
  conv: { shape: [28, 28, 1], model: convEmbedder({ dimension: COLUMNS, width: 32 }) },
  resnet18: { shape: [64, 64, 3], model: resnet18({ dimension: COLUMNS, preprocessing: 'none' }) },
};

/** The two steps on the backend that is set now. */
function steps({ shape, model }: (typeof nets)[string]) {
  const net = model.build(shape, 1);
  const numbers = (name: string, count: number) => Float32Array.from(randomStream(1, name).uniforms(count));
  const size = BATCH * shape[0] * shape[1] * shape[2];
  const images = tf.tensor4d(numbers('images', size), [BATCH, ...shape]);
  const classes = Int32Array.from({ length: BATCH }, (_, i) => i % CLASSES);
  const labels = tf.tensor1d(classes, 'int32');
  const start = tf.tensor2d(numbers('proxies', CLASSES * COLUMNS), [CLASSES, COLUMNS]);
  const proxies = tf.variable<tf.Rank.R2>(tf.sub(start, 0.5));
  const loss = proxyAnchor();
  const variables = [...net.variables(), proxies as unknown as tf.Variable];
  const optimizer = new AdamW([{ variables, learningRate: 1e-4, weightDecay: 1e-4 }]);
  const frozen = net.apply.frozen?.() ?? net;
  return {
    train: () =>
      tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => loss(net.apply(images, true), labels, proxies), variables);
        optimizer.update(grads);
        return value.dataSync()[0];
      }),
    attack: () =>
      tf.tidy(() => {
        const lossOf = (x: tf.Tensor) => loss(frozen.apply(x as tf.Tensor4D), labels, proxies);
        const gradient = tf.grad(lossOf)(images) as tf.Tensor4D;
        const settings = { norm: 'linf', epsilon: 0.1, stepSize: 0.02, box: [0, 1] as [number, number] } as const;
        return attackStepTensor({ origin: images, current: images, gradient, ...settings }).dataSync()[0];
      }),
  };
}

const [netName = 'conv', roundsText = '10', ...asked] = process.argv.slice(2);
const rounds = Number(roundsText);
const report = await backendReport();
// A step on plain JavaScript takes minutes; it runs only when asked for.
const names = report.filter(
  ({ name, available }) => available && (asked.length ? asked.includes(name) : name !== 'cpu'),
);
const times = new Map<string, number[]>();
const tasks = new Map<BackendName, ReturnType<typeof steps>>();
for (const { name, detail } of names) {
  await chooseBackend({ backend: name });
  const task = steps(nets[netName]);
  tasks.set(name, task);
  const losses = Array.from({ length: COUNTED_STEPS }, () => task.train());
  // Both steps begin warm: the counted steps above have compiled what training runs.
  for (let i = 0; i < COUNTED_STEPS; i++) task.attack();
  console.log(`${name} (${detail}): loss ${losses[0].toFixed(5)}, after ${COUNTED_STEPS} steps ${losses.at(-1)}`);
}
for (let round = 0; round < rounds; round++) {
  for (const [name, task] of tasks) {
    await tf.setBackend(name);
    for (const [step, run] of Object.entries(task)) {
      for (let i = 0; i < STEPS_PER_TURN; i++) {
        const start = performance.now();
        run();
        const key = `${name} ${step}`;
        times.set(key, [...(times.get(key) ?? []), performance.now() - start]);
      }
    }
  }
}
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
console.log(
  `${netName}, batch ${BATCH} of ${nets[netName].shape.join('x')}, median and least of ${rounds} turns of ${STEPS_PER_TURN} steps, ms`,
);
for (const step of ['train', 'attack']) {
  for (const { name } of names) {
    const taken = times.get(`${name} ${step}`)!;
    const figures = [median(taken), Math.min(...taken)].map((ms) => ms.toFixed(1).padStart(10));
    console.log(step.padEnd(8) + name.padEnd(12) + figures.join(''));
  }
}
