/** Our side of bench/peers.ts, in a process of its own: `tsx bench/peers/kernels.ts ARRAYS [REPEAT]`, one JSON line per case. */
import {
  attackStepSync,
  kmeansSync,
  machineLimits,
  nearestCentroidSync,
  pairwiseDistanceSync,
} from '../../src/kernels/index.js';
import { readNpy } from './npy.js';

const [arrays, repeat = '5'] = process.argv.slice(2);
const read = (name: string) => readNpy(`${arrays}/${name}.npy`);

function report(name: string, implementation: string, run: () => unknown): void {
  run();
  let seconds = Number.POSITIVE_INFINITY;
  for (let i = 0; i < Number(repeat); i++) {
    const start = performance.now();
    run();
    seconds = Math.min(seconds, (performance.now() - start) / 1000);
  }
  console.log(JSON.stringify({ case: name, implementation, seconds }));
}

for (const d of [128, 512]) {
  const [a, b] = [read(`pairwise_${d}_x`), read(`pairwise_${d}_y`)];
  const out = new Float32Array(a.rows * b.rows);
  report(`pairwiseDistance ${d}`, 'eat-dml', () => pairwiseDistanceSync(a, b, { out }));
}
for (const [k, d] of [
  [256, 128],
  [1000, 512],
]) {
  const points = read(`cluster_${d}`);
  const init = { data: points.data.slice(0, k * d), rows: k, cols: d };
  report(`nearestCentroid ${d}`, 'eat-dml', () => nearestCentroidSync(points, init));
  report(`kmeans ${d}`, 'eat-dml', () => kmeansSync(points, { init, maxIterations: 20, pruning: false }));
  report(`kmeans ${d}`, 'eat-dml, pruned', () => kmeansSync(points, { init, maxIterations: 20 }));
  const seeded = { init: kmeansSync(points, { k, seed: 1, maxIterations: 1 }).centroids, maxIterations: 20 };
  report(`kmeans++ ${d}`, 'eat-dml', () => kmeansSync(points, { ...seeded, pruning: false }));
  report(`kmeans++ ${d}`, 'eat-dml, pruned', () => kmeansSync(points, seeded));
}
const [origin, gradient] = [read('images'), read('gradient')];
const current = { ...origin, data: origin.data.slice() };
const out = new Float32Array(origin.data.length);
const step = { origin, current, gradient, norm: 'linf', epsilon: 0.03, stepSize: 0.01, box: [0, 1], out } as const;
report('attackStep linf', 'eat-dml', () => attackStepSync({ ...step, box: [0, 1] }));

console.log(JSON.stringify({ limits: machineLimits() }));
