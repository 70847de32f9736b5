/**
 * k-means of 120,000 x 512 into 10,000 clusters, within 1.5 GB: `npx tsx bench/memory.ts [iterations]`. Prints each iteration,
 * the peak of the process's memory, and how soon an abort is answered.
 */
import { kmeans } from '../src/kernels/index.js';
import { randomStream } from '../src/random.js';

const [rows, cols, k] = [120_000, 512, 10_000];
const { uniform } = randomStream(1, 'memory');
const data = new Float32Array(rows * cols);
for (let i = 0; i < data.length; i++) data[i] = uniform() - 0.5;
const points = { data, rows, cols };
const peak = () => `${(process.resourceUsage().maxRSS / 1024 ** 2).toFixed(2)} GB peak`;

let start = performance.now();
const seconds = () => ((performance.now() - start) / 1000).toFixed(1);
const { iterations, inertia } = await kmeans(points, {
  k,
  maxIterations: Number(process.argv[2] ?? 3),
  onIteration: (at) => console.log(`iteration ${at.iteration}: ${at.changed} changed, ${seconds()} s, ${peak()}`),
});
console.log(`${iterations} iterations, inertia ${inertia.toFixed(1)}, ${seconds()} s, ${peak()}`);

for (const phase of ['start', 'iterations'] as const) {
  const controller = new AbortController();
  const running = kmeans(points, { k, init: phase === 'start' ? 'k-means++' : 'random', signal: controller.signal });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  start = performance.now();
  controller.abort();
  await running.catch(() => {});
  console.log(`abort during the ${phase} answered in ${(performance.now() - start).toFixed(0)} ms`);
}
