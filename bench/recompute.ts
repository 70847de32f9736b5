/**
 * What `recompute` saves and costs: the most bytes of tensors during the gradients of a network, and their time.
 *   npx tsx bench/recompute.ts [resnet50] [--side 224] [--batch 16] [--steps 3] [--backend native]
 */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { bnInception, chooseBackend, mobilenetV2, resnet18, resnet50 } from '../src/index.js';

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

/** Scopes end when most is held: what they hold is freed there. */
function watched(work: () => void): number {
  const engine = tf.engine() as unknown as { endScope(result: unknown): void };
  const { endScope } = engine;
  const before = tf.memory().numBytes;
  let most = 0;
  engine.endScope = (result) => {
    most = Math.max(most, tf.memory().numBytes - before);
    endScope.call(engine, result);
  };
  try {
    work();
  } finally {
    engine.endScope = endScope;
  }
  return most;
}

for (const recompute of [false, true]) {
  const kept = NETWORKS[name]({ dimension: 512 });
  const network = (recompute ? kept.recomputing!() : kept).build([side, side, 3], 1);
  const images = tf.randomUniform<tf.Rank.R4>([batch, side, side, 3], 0, 1, 'float32', 1);
  const times: number[] = [];
  const most = watched(() => {
    for (let step = 0; step <= steps; step++) {
      const start = performance.now();
      const { value, grads } = tf.variableGrads(
        () => tf.sum<tf.Scalar>(network.apply(images, true)),
        network.variables(),
      );
      value.dataSync();
      tf.dispose([value, grads]);
      times.push(performance.now() - start);
    }
  });
  const [middle] = times
    .slice(1)
    .sort((a, b) => a - b)
    .slice(Math.floor(steps / 2));
  const what = recompute ? 'recompute: true ' : 'recompute: false';
  console.log(
    `${name}, ${side} pixels, batch ${batch}, ${what}: ${Math.round(most / 2 ** 20)} MiB, ${middle.toFixed(0)} ms`,
  );
  tf.dispose(images);
  network.dispose();
}
