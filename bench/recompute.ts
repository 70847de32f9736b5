/**
 * What `recompute` saves and costs: the most bytes of tensors during the gradients of a network, and their time.
 *   npx tsx bench/recompute.ts [resnet50] [--side 224] [--batch 16] [--steps 3] [--backend native]
 */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { bnInception, chooseBackend, type Embedder, mobilenetV2, resnet18, resnet50 } from '../src/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    side: { type: 'string', default: '224' },
    batch: { type: 'string', default: '16' },
    steps: { type: 'string', default: '3' },
    backend: { type: 'string', default: 'native' },
  },
});
const NETWORKS = { resnet18, resnet50, 'bn-inception': bnInception, 'mobilenet-v2': mobilenetV2 };
const name = (positionals[0] ?? 'resnet50') as keyof typeof NETWORKS;
const [side, batch, steps] = [values.side, values.batch, values.steps].map(Number);
await chooseBackend({ backend: values.backend as 'native' });

/** One step of a network: its gradients, made and thrown away. */
function step(network: Embedder, images: tf.Tensor4D): void {
  const { value, grads } = tf.variableGrads(() => tf.sum<tf.Scalar>(network.apply(images, true)), network.variables());
  value.dataSync();
  tf.dispose([value, grads]);
}

for (const recompute of [false, true]) {
  const kept = NETWORKS[name]({ dimension: 512 });
  const network = (recompute ? kept.recomputing!() : kept).build([side, side, 3], 1);
  const images = tf.randomUniform<tf.Rank.R4>([batch, side, side, 3], 0, 1, 'float32', 1);
  const before = tf.memory().numBytes;
  const { peakBytes } = await tf.profile(() => step(network, images) as never);
  const times = Array.from({ length: steps }, () => {
    const start = performance.now();
    step(network, images);
    return performance.now() - start;
  });
  const [middle] = times.sort((a, b) => a - b).slice(Math.floor(steps / 2));
  const what = recompute ? 'recompute: true ' : 'recompute: false';
  console.log(
    `${name}, ${side} pixels, batch ${batch}, ${what}: ${Math.round((peakBytes - before) / 2 ** 20)} MiB, ${middle.toFixed(0)} ms`,
  );
  tf.dispose(images);
  network.dispose();
}
