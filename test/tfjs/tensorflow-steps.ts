/** Adversarial training steps on tensorflow in a process of its own; what it holds after each quarter of them, as JSON: STEPS. */
import * as tf from '@tensorflow/tfjs';
import { datasetFromArrays } from '../../src/data/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { at, train } from '../../src/training/index.js';
import { tensorflowBackend } from './tensorflow.js';

const [COUNT, SIDE, BATCH] = [64, 12, 32];
const STEPS = Number(process.argv[2]);
const backend = await tensorflowBackend();
const data = datasetFromArrays({
  name: 'noise',
  images: Uint8Array.from({ length: COUNT * SIDE ** 2 }, (_, i) => (i * 37) % 256),
  labels: Int32Array.from({ length: COUNT }, (_, i) => i % 4),
  shape: [SIDE, SIDE, 1],
});
const held: { step: number; rss: number; tensors: number; handles: number }[] = [];
const trained = await train({
  data,
  model: convEmbedder({ dimension: 8, width: 4 }),
  method: at({ attack: { epsilon: 0.1, steps: 1 } }),
  ...{ epochs: STEPS / 2, batch: { size: BATCH }, backend: 'tensorflow' },
  onProgress: ({ step }) => {
    if (step % (STEPS / 4) !== 0) return;
    global.gc!();
    const rss = process.memoryUsage().rss / 2 ** 20;
    held.push({ step, rss, tensors: tf.memory().numTensors, handles: backend.getNumOfTFTensors() });
  },
});
trained.dispose();
process.stdout.write(JSON.stringify(held));
