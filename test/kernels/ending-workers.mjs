// node ending-workers.mjs ADDON WORKERS ROUNDS: threads that end in every way while kernels run off their event loops, or while the
// addon is being loaded. Prints how many ended, and the memory (MiB) after the first half and at the end.
import { Worker } from 'node:worker_threads';

const [addon, workers, rounds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];

const source = `
const { workerData: { addon: path, how, after } } = require('node:worker_threads');
const addon = require(path);
const [n, d, k] = [400, 64, 20];
const matrix = { data: Float32Array.from({ length: n * d }, (_, i) => Math.sin(i * 1.37)), rows: n, cols: d };
const floats = (length) => new Float32Array(length);
const ints = (length) => new Int32Array(length);
const calls = [
  () => addon.pairwiseDistance({ a: matrix, b: matrix, metric: 0, out: floats(n * n), fresh: true }, true),
  () => addon.nearestCentroid({ points: matrix, centroids: matrix, labels: ints(n), distances: floats(n), secondDistances: floats(n) }, true),
  () => addon.kmeans({ points: matrix, k, maxIterations: 50, tolerance: 0, pruning: true, starts: 1, centroids: matrix.data.slice(0, k * d),
    labels: ints(n), counts: ints(k), inertia: new Float64Array(1), iterations: ints(1), converged: new Uint8Array(1), onIteration() {} }, true),
  () => addon.centroidMeans({ points: matrix, k, labels: ints(n), sums: new Float64Array(k * d), counts: new Float64Array(k), means: floats(k * d) }, true),
];
const go = (i) => calls[i % calls.length]().promise.then(() => go(i + 1));
for (let i = 0; i < 6; i++) go(i);
setTimeout(() => {
  if (how === 'exit') process.exit(0);
  if (how === 'error') throw new Error('planned');
}, after);
`;

const ways = ['terminate', 'exit', 'error', 'at once'];

/** One thread from its start to its end. */
async function live(round) {
  const how = ways[round % ways.length];
  const after = (round * 7919) % 50;
  const worker = new Worker(source, { eval: true, workerData: { addon, how, after } });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  worker.once('error', (error) => {
    if (error.message !== 'planned') console.log(`unplanned: ${error.message}`);
  });
  if (how === 'terminate' || how === 'at once') {
    await new Promise((resolve) => setTimeout(resolve, how === 'terminate' ? 20 + after : after % 12));
    await worker.terminate();
  }
  await ended;
}

const memory = () => Math.round(process.memoryUsage().rss / 2 ** 20);
let ended = 0;
let half = 0;
await Promise.all(
  Array.from({ length: workers }, async (_, w) => {
    for (let round = 0; round < rounds; round++) {
      await live(w + round);
      ended++;
      if (ended === Math.ceil((workers * rounds) / 2)) half = memory();
    }
  }),
);
console.log(JSON.stringify({ ended, half, end: memory() }));
