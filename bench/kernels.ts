/**
 * Every kernel, js vs cpu, at a small and a real size, with its share of what this machine can do; then npm's peers: `npm run bench [-- name ...]`. The rows: pairwiseDistance,
 * nearestCentroid, nearestNeighbors, centroidMeans, kmeans, projectPerturbation, attackStep, matmul, conv2d,
 * conv2dBackpropInput, conv2dBackpropFilter, convReluStack, convReluStackBackpropInput, unary, binary, reduce,
 * batchMoments, batchNorm, batchNormGradient, pool2d, pool2dGradient, adamW, depthwiseConv2d,
 * depthwiseConv2dBackpropInput, depthwiseConv2dBackpropFilter, stridedCopy, compareValues, logical, select, gather,
 * segmentSum, oneHot, argReduce, topK, softmax, resample, pixelValues; their sizes are in kernel-rows.ts, stack-rows.ts and
 * selection-rows.ts.
 */
import Benchmark from 'benchmark';
import { devices } from '../src/kernels/index.js';
import { machineLimits } from '../src/kernels/machine-limits.js';
import { rows } from './kernel-rows.js';
import { type PeerRow, peerRows } from './npm-peers.js';
import type { Row } from './row.js';

/** A run that takes longer is not repeated. */
const ONCE_SECONDS = 2;
const OPTIONS = { maxTime: 0.5, minSamples: 5 };

interface Timing {
  seconds: number;
  /** Half the 95% confidence interval, relative; absent when it ran once. */
  error?: number;
}

/** Results end up here, so that nothing computed can be left out; printed last. */
let sink = 0;

function keep(result: unknown): void {
  const arrays = ArrayBuffer.isView(result) ? [result] : Object.values(result as object).filter(ArrayBuffer.isView);
  for (const array of arrays) sink += (array as Float32Array)[0];
}

async function time(run: () => unknown): Promise<Timing> {
  const start = performance.now();
  const first = run();
  const deferred = first instanceof Promise;
  keep(await first);
  const seconds = (performance.now() - start) / 1000;
  return seconds > ONCE_SECONDS ? { seconds } : repeated(run, deferred);
}

function repeated(run: () => unknown, defer: boolean): Promise<Timing> {
  return new Promise((resolve, reject) => {
    const fn = defer
      ? (deferred: { resolve(): void }) => {
          (run() as Promise<unknown>).then((result) => {
            keep(result);
            deferred.resolve();
          }, reject);
        }
      : () => keep(run());
    const bench = new Benchmark({ ...OPTIONS, defer, fn });
    bench.on('complete', () => resolve({ seconds: bench.stats.mean, error: bench.stats.rme / 100 }));
    bench.on('error', () => reject(bench.error));
    bench.run({ async: true });
  });
}

function text({ seconds, error }: Timing): string {
  const ms = seconds * 1000;
  const digits = ms < 0.1 ? 4 : ms < 10 ? 3 : 1;
  return `${ms.toFixed(digits)} ${error === undefined ? ' once' : `±${(100 * error).toFixed(0)}%`.padStart(5)}`;
}

/** The rate of a row, and its share of the limit. */
function rate({ flops, bytes, size }: Row, { seconds }: Timing): string {
  const amount = flops ?? bytes;
  if (!amount || !limits || size === 'small') return '';
  const [limit, unit] = flops ? [limits.fmaGflops, 'GFLOP/s'] : [limits.triadGbytes, 'GB/s'];
  const value = amount / seconds / 1e9;
  return `${value.toFixed(1)} ${unit}, ${((100 * value) / limit).toFixed(0)}%`;
}

/** The least of a few runs, in seconds. */
function least(run: () => unknown, runs: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    keep(run());
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}

function comparePeer({ name, peer, own, theirs }: PeerRow): void {
  const [ours, other] = [least(own, 9), least(theirs, 3)];
  const ratio = `${(other / ours).toFixed(0)}x`;
  console.log(
    `${name.padEnd(48)}${peer.padEnd(14)}${(other * 1e3).toFixed(1).padStart(10)} ms${(ours * 1e3).toFixed(2).padStart(10)} ms${ratio.padStart(8)}`,
  );
}

const asked = process.argv.slice(2);
const chosen = rows.filter(({ kernel }) => asked.length === 0 || asked.includes(kernel));
const cpu = devices().find(({ name }) => name === 'cpu')!;
const limits = machineLimits();
console.log(`Node ${process.versions.node}; cpu: ${cpu.detail}`);
if (limits)
  console.log(`limits: ${limits.fmaGflops.toFixed(0)} GFLOP/s FMA, ${limits.triadGbytes.toFixed(1)} GB/s triad`);
const line = (...[kernel, size, shape, js, native, sync, ratio, share]: string[]) =>
  console.log(
    `${kernel.padEnd(22)}${size.padEnd(7)}${shape.padEnd(40)}${js.padStart(16)}${native.padStart(16)}${sync.padStart(16)}${ratio.padStart(10)}  ${share}`,
  );
console.log('js and cpu: the form that is called, with fresh results (a Promise where there are two columns of cpu);');
console.log('cpu sync: at once, into memory that is there already where the kernel takes an out.');
line('kernel', 'size', 'shape', 'js, ms', 'cpu, ms', 'cpu sync, ms', 'js / cpu', 'cpu, of the limit');
for (const row of chosen) {
  const js = await time(() => row.run('js'));
  const native = cpu.available ? await time(() => row.run('cpu')) : undefined;
  const sync = cpu.available && row.sync ? await time(() => row.sync!('cpu')) : undefined;
  const ratio = native ? `${(js.seconds / native.seconds).toFixed(1)}x` : '';
  line(
    row.kernel,
    row.size,
    row.shape,
    text(js),
    native ? text(native) : 'skipped',
    sync ? text(sync) : '',
    ratio,
    native ? rate(row, sync ?? native) : '',
  );
}
if (asked.length === 0) {
  console.log("\nThe same work by npm's own");
  for (const row of peerRows) comparePeer(row);
}
console.error(`(sum of first values, so that no result was left out: ${sink.toPrecision(6)})`);
