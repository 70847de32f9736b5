/**
 * One training step (forward, gradients, AdamW) and one attack step (gradient by the images, projected step; weights frozen, as
 * in an attack) of a network, by turns on every backend that is installed and in PyTorch, in both of its layouts, where that is:
 * `npx tsx bench/training-step.ts [NET|all] [rounds] [backend ...]`, EAT_DML_THREADS for the threads of both. All begin with the same
 * weights and images; the loss after 20 steps should be one number. EAT_DML_TORCH_DEVICE=cuda puts PyTorch on a card.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { exportWeights } from '../src/checkpoints/export-weights.js';
import { proxyAnchor } from '../src/losses/index.js';
import {
  bnInception,
  convEmbedder,
  type Embedder,
  Ensemble,
  type ModelSpec,
  mobilenetV2,
  resnet18,
  resnet50,
} from '../src/models/index.js';
import { writeSafetensors } from '../src/models/safetensors.js';
import { randomStream } from '../src/random.js';
import { attackStepTensor, type BackendName, backendReport, chooseBackend, readLater } from '../src/tfjs/index.js';
import { AdamW } from '../src/training/adamw.js';
import { LAYOUTS, torchSteps } from './peers/torch-steps.js';

const CLASSES = 10;
const COLUMNS = 64;
const COUNTED_STEPS = 20;
/** In a row before the next program: in training, too, a step follows its like. */
const STEPS_PER_TURN = 5;
const THREADS = Number(process.env.EAT_DML_THREADS ?? 2);

const published = { dimension: COLUMNS, preprocessing: 'none' } as const;
interface Net {
  batch: number;
  shape: [number, number, number];
  model: ModelSpec;
}

const nets: Record<string, Net> = {
  conv: { batch: 64, shape: [28, 28, 1], model: convEmbedder({ dimension: COLUMNS, width: 32 }) },
  resnet18: { batch: 64, shape: [64, 64, 3], model: resnet18(published) },
  resnet50: { batch: 8, shape: [224, 224, 3], model: resnet50(published) },
  'mobilenet-v2': { batch: 8, shape: [224, 224, 3], model: mobilenetV2(published) },
  'bn-inception': { batch: 8, shape: [224, 224, 3], model: bnInception(published) },
};

/** What runs steps: a backend of this package or PyTorch. They end with a value that is read: then the device has done its work. */
interface Program {
  name: string;
  run(step: string, count: number): Promise<number[]>;
}

const uniforms = (name: string, count: number) => Float32Array.from(randomStream(1, name).uniforms(count));

/** Images, labels and proxies, the same for every program. */
function inputsOf({ batch, shape }: Net) {
  const classes = Math.min(CLASSES, batch / 2);
  return {
    images: { shape: [batch, ...shape], values: uniforms('images', batch * shape[0] * shape[1] * shape[2]) },
    proxies: { shape: [CLASSES, COLUMNS], values: uniforms('proxies', CLASSES * COLUMNS).map((v) => v - 0.5) },
    labels: { shape: [batch], values: Float32Array.from({ length: batch }, (_, i) => i % classes) },
  };
}

/** The two steps on the backend that is set now. */
function steps(net: Embedder, inputs: ReturnType<typeof inputsOf>) {
  const images = tf.tensor<tf.Rank.R4>(inputs.images.values, inputs.images.shape as tf.Tensor4D['shape']);
  const labels = tf.tensor1d(Int32Array.from(inputs.labels.values), 'int32');
  const proxies = tf.variable(tf.tensor2d(inputs.proxies.values, [CLASSES, COLUMNS]));
  const loss = proxyAnchor();
  const variables = [...net.variables(), proxies as unknown as tf.Variable];
  const optimizer = new AdamW([{ variables, learningRate: 1e-4, weightDecay: 1e-4 }]);
  const frozen = net.apply.frozen?.() ?? net;
  return {
    train: () =>
      firstOf(() => {
        const { value, grads } = tf.variableGrads(() => loss(net.apply(images, true), labels, proxies), variables);
        optimizer.update(grads);
        return value;
      }),
    attack: () =>
      firstOf(() => {
        const lossOf = (x: tf.Tensor) => loss(frozen.apply(x as tf.Tensor4D), labels, proxies);
        const gradient = tf.grad(lossOf)(images) as tf.Tensor4D;
        const settings = { norm: 'linf', epsilon: 0.1, stepSize: 0.02, box: [0, 1] as [number, number] } as const;
        return attackStepTensor({ origin: images, current: images, gradient, ...settings }).slice(0, 1);
      }),
  };
}

/** The first value of what `make` returns, once the device has it. */
async function firstOf(make: () => tf.Tensor): Promise<number> {
  const made = await readLater(make);
  const [first] = await made.data();
  made.dispose();
  return first;
}

async function backendProgram(backend: BackendName, net: Net, weights?: string): Promise<Program> {
  await chooseBackend({ backend });
  const built = net.model.build(net.shape, 1);
  if (weights) await exportWeights(new Ensemble([built]), weights);
  const task = steps(built, inputsOf(net));
  const losses: number[] = [];
  for (let i = 0; i < COUNTED_STEPS; i++) losses.push(await task.train());
  await task.attack();
  console.log(`${backend}: loss ${losses[0].toFixed(5)}, after ${COUNTED_STEPS} steps ${losses.at(-1)!.toFixed(5)}`);
  const run = async (step: string, count: number) => {
    await tf.setBackend(backend);
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      await task[step as keyof typeof task]();
      times.push(performance.now() - start);
    }
    return times;
  };
  return { name: backend, run };
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function compare(netName: string, rounds: number, backends: BackendName[]): Promise<void> {
  const net = nets[netName];
  const folder = await mkdtemp(join(tmpdir(), 'eat-dml-steps-'));
  const files = { weights: join(folder, 'member-0.safetensors'), inputs: join(folder, 'inputs.safetensors') };
  await writeFile(files.inputs, writeSafetensors(Object.entries(inputsOf(net)), { format: 'pt' }));
  const programs: Program[] = [];
  for (const [i, backend] of backends.entries()) {
    programs.push(await backendProgram(backend, net, i === 0 ? folder : undefined));
  }
  const peers = [];
  for (const layout of LAYOUTS) {
    const peer = await torchSteps(netName, files, THREADS, layout);
    if (!peer) continue;
    peers.push({ name: `PyTorch ${peer.version}, ${layout}`, ...peer });
    const losses = peer.losses.map((loss) => loss.toFixed(5)).join(`, after ${COUNTED_STEPS} steps `);
    console.log(`${peers.at(-1)!.name}: loss ${losses}`);
  }
  programs.push(...peers);
  const times = programs.map(() => ({ train: [] as number[], attack: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const step of ['train', 'attack'] as const) {
      for (const [i, program] of programs.entries()) times[i][step].push(...(await program.run(step, STEPS_PER_TURN)));
    }
  }
  for (const peer of peers) peer.stop();
  await rm(folder, { recursive: true });
  console.log(
    `${netName}, batch ${net.batch} of ${net.shape.join('x')}, ${THREADS} threads; median and least of ${rounds} turns of ${STEPS_PER_TURN} steps, ms, and times the first's`,
  );
  for (const step of ['train', 'attack'] as const) {
    for (const [i, { name }] of programs.entries()) {
      const figures = [median(times[i][step]), Math.min(...times[i][step])].map((ms) => ms.toFixed(1).padStart(10));
      const ratio = (median(times[i][step]) / median(times[0][step])).toFixed(2);
      console.log(step.padEnd(8) + name.padEnd(36) + figures.join('') + `${ratio}x`.padStart(8));
    }
  }
}

const [asked = 'conv', rounds = '10', ...only] = process.argv.slice(2);
const names = asked === 'all' ? Object.keys(nets) : [asked];
if (!names.every((name) => Object.hasOwn(nets, name))) {
  throw new Error(`Expected a network (${Object.keys(nets).join(', ')}) or all but received ${asked}.`);
}
const report = await backendReport();
// A step on plain JavaScript takes minutes; it runs only when asked for.
const backends = report
  .filter(({ name, available }) => available && (only.length ? only.includes(name) : name !== 'cpu'))
  .map(({ name }) => name);
for (const name of names) await compare(name, Number(rounds), backends);
