/** Our side of bench/peers.ts, in a process of its own: `tsx bench/peers/kernels.ts ARRAYS [REPEAT]`, one JSON line per case and form:
 * 'into out' writes where there is memory already, 'fresh' makes its results, 'Promise' is off the event loop.
 */
import {
  attackStep,
  attackStepSync,
  kmeans,
  kmeansSync,
  nearestCentroid,
  nearestCentroidSync,
  pairwiseDistance,
  pairwiseDistanceSync,
  uploadMatrix,
} from '../../src/kernels/index.js';
import { machineLimits } from '../../src/kernels/machine-limits.js';
import { readNpy } from './npy.js';

const [arrays, repeat = '5'] = process.argv.slice(2);
const read = (name: string) => readNpy(`${arrays}/${name}.npy`);

async function report(name: string, implementation: string, run: () => unknown): Promise<void> {
  await run();
  let seconds = Number.POSITIVE_INFINITY;
  for (let i = 0; i < Number(repeat); i++) {
    const start = performance.now();
    await run();
    seconds = Math.min(seconds, (performance.now() - start) / 1000);
  }
  console.log(JSON.stringify({ case: name, implementation, seconds }));
}

for (const d of [128, 512]) {
  const [a, b] = [read(`pairwise_${d}_x`), read(`pairwise_${d}_y`)];
  let out: Float32Array = new Float32Array(a.rows * b.rows);
  const name = `pairwiseDistance ${d}`;
  await report(name, 'sync into out', () => pairwiseDistanceSync(a, b, { out }));
  await report(name, 'Promise into out', async () => {
    out = (await pairwiseDistance(a, b, { out })).data;
  });
  out = new Float32Array(0);
  await report(name, 'sync, fresh', () => pairwiseDistanceSync(a, b));
  await report(name, 'Promise, fresh', () => pairwiseDistance(a, b));
}
for (const [k, d] of [
  [256, 128],
  [1000, 512],
]) {
  const points = read(`cluster_${d}`);
  const init = { data: points.data.slice(0, k * d), rows: k, cols: d };
  const uploaded = uploadMatrix(points, { device: 'cpu' });
  await report(`nearestCentroid ${d}`, 'sync, fresh', () => nearestCentroidSync(points, init));
  await report(`nearestCentroid ${d}`, 'Promise, fresh', () => nearestCentroid(points, init));
  await report(`nearestCentroid ${d}`, 'Promise, uploaded', () => nearestCentroid(uploaded, init));
  uploaded.dispose();
  await report(`kmeans ${d}`, 'Promise, fresh', () => kmeans(points, { init, maxIterations: 20, pruning: false }));
  await report(`kmeans ${d}`, 'pruned, Promise', () => kmeans(points, { init, maxIterations: 20 }));
  const seeded = { init: kmeansSync(points, { k, seed: 1, maxIterations: 1 }).centroids, maxIterations: 20 };
  await report(`kmeans++ ${d}`, 'Promise, fresh', () => kmeans(points, { ...seeded, pruning: false }));
  await report(`kmeans++ ${d}`, 'pruned, Promise', () => kmeans(points, seeded));
}
const [origin, gradient] = [read('images'), read('gradient')];
const current = { ...origin, data: origin.data.slice() };
const box: [number, number] = [0, 1];
const step = { origin, current, gradient, norm: 'linf' as const, epsilon: 0.03, stepSize: 0.01, box };
const out = new Float32Array(origin.data.length);
await report('attackStep linf', 'sync into out', () => attackStepSync({ ...step, out }));
await report('attackStep linf', 'sync, fresh', () => attackStepSync(step));
await report('attackStep linf', 'Promise, fresh', () => attackStep(step));

console.log(JSON.stringify({ limits: machineLimits() }));
