/**
 * tsx bench/peers/export.ts RUN OUT.npz [COUNT]: weights, images and this package's attacks of a run of `eat-dml train`,
 * for bench/peers/pgd.py to attack again. COUNT images (default as many as the run's evaluation takes, else 2000): the same
 * that `eat-dml evaluate RUN --count COUNT` draws. Needs a run of the model kind `conv`.
 */
import { writeFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs';
import { type AttackSettings, apgd, attackContext, objective, pgd, runAttack } from '../../src/attacks/index.js';
import { loadEnsemble } from '../../src/checkpoints/index.js';
import { dataOf, evaluateOptionsOf } from '../../src/config/make.js';
import { readRun } from '../../src/config/run-folder.js';
import { subset } from '../../src/data/index.js';
import { randomStream } from '../../src/random.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { type NpyArray, npz } from './npz.js';

const STEPS = 20;
const OBJECTIVES = ['embedding-shift', 'centroid-margin', 'joint-pairwise'];
const BATCH = 100;

const [run, out, given] = process.argv.slice(2);
if (!run || !out) throw new Error('usage: export.ts RUN OUT.npz [COUNT]');
const config = await readRun(run);
await chooseBackend({ backend: config.backend ?? 'auto' });
const [ensemble, { test }] = [await loadEnsemble(run), await dataOf(config)];
const { epsilon = 0.1, seed = 0, count = 2000 } = evaluateOptionsOf(config);
const order = randomStream(seed, 'evaluation-sample').permutation(test.labels.length);
const data = subset(test, order.slice(0, Number(given ?? count)));
const clean = await ensemble.embed(data);
const { labels, centroids } = await attackContext(clean, data.labels);

const pictures = await data.batch(Int32Array.from(data.labels.keys()));

const arrays: Record<string, NpyArray> = {
  images: await arrayOf(pictures),
  labels: { shape: [labels.length], data: labels },
  centroids: await arrayOf(centroids),
  settings: { shape: [3], data: Float32Array.of(epsilon, STEPS, BATCH) },
};
for (const [i, { weights, heads = 1 }] of ensemble.members.entries()) {
  arrays[`member${i}/heads`] = { shape: [1], data: Int32Array.of(heads) };
  for (const [name, weight] of weights) arrays[`member${i}/${name}`] = await arrayOf(weight);
}
for (const name of OBJECTIVES) {
  for (const settings of [pgd({ epsilon, steps: STEPS }), apgd({ epsilon, steps: STEPS })]) {
    process.stderr.write(`${settings.name} ${name}\n`);
    arrays[`ours/${settings.name}/${name}`] = { shape: arrays.images.shape, data: attacked(settings, name) };
  }
}
await writeFile(out, npz(arrays));

async function arrayOf(tensor: tf.Tensor): Promise<NpyArray> {
  return { shape: tensor.shape, data: (await tensor.data()) as Float32Array };
}

/** In batches of consecutive images, as the peer takes them. */
function attacked(settings: AttackSettings, name: string): Float32Array {
  const size = pictures.size / labels.length;
  const all = new Float32Array(pictures.size);
  for (let start = 0; start < labels.length; start += BATCH) {
    const rows = Math.min(BATCH, labels.length - start);
    const values = tf.tidy(() => {
      const adversarial = runAttack({
        model: ensemble,
        images: tf.slice(pictures, [start, 0, 0, 0], [rows, -1, -1, -1]),
        objective: objective(name),
        settings,
        labels: labels.subarray(start, start + rows),
        centroids,
        seed: 1,
        path: ['peers', start],
      });
      return adversarial.dataSync() as never;
    }) as Float32Array;
    all.set(values, start * size);
  }
  return all;
}
