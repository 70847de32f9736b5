/**
 * The Promise forms beside the sync forms, by turns, and what the event loop feels meanwhile: `npx tsx bench/promises.ts [REPEAT]`.
 * Medians of REPEAT (15) runs. EAT_DML_THREADS sets the threads.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  devices,
  nearestCentroid,
  nearestCentroidSync,
  pairwiseDistance,
  pairwiseDistanceSync,
  uploadMatrix,
} from '../src/kernels/index.js';
import { values } from './row.js';

const repeat = Number(process.argv[2] ?? 15);
const matrix = (rows: number, cols: number, low?: number) => ({ data: values(rows * cols, low), rows, cols });
const at = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))];
const median = (times: number[]) => at(times, 0.5);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Form {
  name: string;
  run(): unknown;
  /** The form that it is compared with. */
  beside?: string;
}

/** Calls `run`; returns its milliseconds, and adds to `gaps` how late a timer of a millisecond was meanwhile. */
async function time(run: () => unknown, gaps: number[]): Promise<number> {
  const start = performance.now();
  let turn = start;
  const watch = () => {
    const now = performance.now();
    gaps.push(Math.max(0, now - turn - 1));
    turn = now;
  };
  const timer = setInterval(watch, 1);
  await run();
  const ms = performance.now() - start;
  watch();
  clearInterval(timer);
  return ms;
}

async function compare(title: string, forms: Form[]): Promise<void> {
  const times = new Map(forms.map(({ name }) => [name, [] as number[]]));
  const gaps = new Map(forms.map(({ name }) => [name, [] as number[]]));
  for (let i = -1; i < repeat; i++) {
    for (const { name, run } of forms) {
      // What a form leaves to be collected is not the next one's: V8 collects while a Promise is awaited, after a sync call was timed.
      collect();
      await new Promise((resolve) => setTimeout(resolve, 50));
      const ms = await time(run, i < 0 ? [] : gaps.get(name)!);
      if (i >= 0) times.get(name)!.push(ms);
    }
  }
  console.log(`\n${title}`);
  for (const { name, beside } of forms) {
    const ms = median(times.get(name)!);
    const ratio = beside ? `${(ms / median(times.get(beside)!)).toFixed(2)}x ${beside}` : '';
    const turns = gaps.get(name)!;
    const loop = name.startsWith('Promise')
      ? `event loop: p99 ${at(turns, 0.99).toFixed(1)} ms, at most ${at(turns, 1).toFixed(1)} ms`
      : '';
    console.log(`  ${name.padEnd(20)}${ms.toFixed(1).padStart(8)} ms  ${ratio.padEnd(24)}${loop}`);
  }
}

console.log(devices().find(({ name }) => name === 'cpu')!.detail);
const device = 'cpu';
const [a, b] = [matrix(8192, 128), matrix(8192, 128, 0)];
const kept = new Float32Array(8192 * 8192);
let out: Float32Array = new Float32Array(8192 * 8192);
const shared = new Float32Array(new SharedArrayBuffer(8192 * 8192 * 4));
await compare('pairwiseDistance 8192 x 8192, d 128', [
  { name: 'sync into out', run: () => pairwiseDistanceSync(a, b, { device, out: kept }) },
  {
    name: 'Promise into out',
    beside: 'sync into out',
    run: async () => {
      out = (await pairwiseDistance(a, b, { device, out })).data;
    },
  },
  {
    name: 'Promise into shared',
    beside: 'sync into out',
    run: () => pairwiseDistance(a, b, { device, out: shared }),
  },
  { name: 'sync, fresh', run: () => pairwiseDistanceSync(a, b, { device }) },
  { name: 'Promise, fresh', beside: 'sync, fresh', run: () => pairwiseDistance(a, b, { device }) },
]);
const [points, centroids] = [matrix(60_000, 128), matrix(256, 128, 0)];
const uploaded = [points, centroids].map((m) => uploadMatrix(m, { device }));
await compare('nearestCentroid 60000 x 256, d 128', [
  { name: 'sync, fresh', run: () => nearestCentroidSync(points, centroids, { device }) },
  { name: 'Promise, fresh', beside: 'sync, fresh', run: () => nearestCentroid(points, centroids, { device }) },
  {
    name: 'Promise, uploaded',
    beside: 'sync, fresh',
    run: () => nearestCentroid(uploaded[0], uploaded[1], { device }),
  },
]);
