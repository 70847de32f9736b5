/**
 * `npm run bench:gpu [-- --tiny] [--torch FILE]`: every CUDA kernel at real sizes, as one JSON. Per row the device's time by CUDA events
 * (of k-means: of its graph), the wall clock of the call, TFLOP/s or GB/s by the former, and the share of the device's limits by its
 * clocks. Beside it what torch makes of the same card (peers/gpu.py): its ceilings and its way to the same results; FILE holds what
 * that printed before. --tiny is for the emulator, which shows that the bench runs and nothing else. Without a GPU it says so and passes.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { DeviceMatrix, Matrix } from '../src/kernels/index.js';
import type { AddonInfo } from '../src/kernels/load-addon.js';
import { uniformMatrix as matrix } from './uniform-matrix.js';

const { values: flags } = parseArgs({
  options: { tiny: { type: 'boolean', default: false }, torch: { type: 'string' } },
});
// Read by the addon when it is loaded.
process.env.EAT_DML_CUDA_TIMING = '1';
const { cudaAttempts } = await import('../src/kernels/load-addon.js');
const kernels = await import('../src/kernels/index.js');

const device = 'cuda' as const;
const gpu = kernels.devices()[0];
if (!gpu.available || (gpu.byNameOnly && !flags.tiny)) {
  console.log(`skipped: no GPU to measure; ${gpu.detail}`);
  process.exit(0);
}
const path = cudaAttempts().find(({ failure }) => failure === undefined)!.path;
const addon = createRequire(import.meta.url)(path) as {
  info(): AddonInfo;
  kernelMilliseconds(): number;
  deviceLimits(): { fp32Tflops: number; gbytes: number };
};

interface Row {
  kernel: string;
  shape: string;
  flops?: number;
  bytes?: number;
  /** Bytes between the host and the device. */
  crossing?: number;
  run(): unknown;
}

/** Sizes of an emulator where asked for. */
const scaled = (size: number) => (flags.tiny ? 48 : size);

const uploaded = (m: Matrix): DeviceMatrix => kernels.uploadMatrix(m, { device });

function* assignmentRows(): Generator<Row> {
  for (const [n, k, d] of [
    [scaled(1_000_000), scaled(1000), 128],
    [scaled(500_000), scaled(4096), 256],
    [scaled(500_000), scaled(4096), 512],
  ]) {
    const [points, centroids] = [uploaded(matrix(n, d, 1)), uploaded(matrix(k, d, 2))];
    yield {
      kernel: 'nearestCentroid',
      shape: `${n} x ${k}, d ${d}`,
      flops: 2 * n * k * d,
      run: () => kernels.nearestCentroidSync(points, centroids, { device }),
    };
    points.dispose();
    centroids.dispose();
  }
}

function* distanceRows(): Generator<Row> {
  const [n, d] = [scaled(16_384), 256];
  const [a, b] = [uploaded(matrix(n, d, 3)), uploaded(matrix(n, d, 4))];
  const out = new Float32Array(n * n);
  const shape = `${n} x ${n}, d ${d}`;
  yield {
    kernel: 'pairwiseDistance',
    shape,
    flops: 2 * n * n * d,
    run: () => kernels.pairwiseDistanceSync(a, b, { device, out }),
  };
  const neighbors = { k: 10, excludeSelf: true, device };
  yield {
    kernel: 'nearestNeighbors',
    shape: `${shape}, k 10`,
    flops: 2 * n * n * d,
    run: () => kernels.nearestNeighborsSync(a, a, neighbors),
  };
  a.dispose();
  b.dispose();
}

function* clusterRows(): Generator<Row> {
  const [n, k, d] = [scaled(1_000_000), flags.tiny ? 7 : 1000, 128];
  const points = uploaded(matrix(n, d, 1));
  const labels = Int32Array.from({ length: n }, (_, i) => (i * 7919) % k);
  const shape = `${n}, k ${k}, d ${d}`;
  yield {
    kernel: 'centroidMeans',
    shape,
    bytes: 4 * n * (d + 1),
    run: () => kernels.centroidMeansSync(points, labels, { k, device }),
  };
  // The difference of both is ten iterations of the graph, without the start and the first, plain iteration.
  for (const maxIterations of [2, 12]) {
    const options = { k, init: 'random', seed: 1, maxIterations, tolerance: 0, device } as const;
    yield {
      kernel: 'kmeans',
      shape: `${shape}, ${maxIterations} iterations`,
      // One assignment more after the last update.
      flops: 2 * (maxIterations + 1) * n * k * d,
      run: () => kernels.kmeansSync(points, options),
    };
  }
  points.dispose();
}

function* attackRows(): Generator<Row> {
  const [n, d] = flags.tiny ? [2, 3072] : [256, 150_528];
  // Three arrays of their own: of one that is passed twice, half the reads would come from the cache.
  const [origin, current, gradient] = [
    uploaded(matrix(n, d, 5, 0)),
    uploaded(matrix(n, d, 6, 0)),
    uploaded(matrix(n, d, 7)),
  ];
  const out = new Float32Array(n * d);
  const common = { box: [0, 1] as [number, number], device, out };
  for (const norm of ['linf', 'l2', 'l1'] as const) {
    const epsilon = norm === 'linf' ? 0.1 : 10;
    const o = { ...common, origin, current, gradient, norm, epsilon, stepSize: epsilon / 5 };
    const shape = `${norm} ${n} x ${d}, box`;
    // Three operands and the result; then two.
    yield { kernel: 'attackStep', shape, bytes: 16 * n * d, run: () => kernels.attackStepSync(o) };
    const p = { ...common, norm, epsilon, around: origin };
    const run = () => kernels.projectPerturbationSync(gradient, p);
    yield { kernel: 'projectPerturbation', shape, bytes: 12 * n * d, run };
  }
  for (const m of [origin, current, gradient]) m.dispose();
}

/** What a call costs beside its kernels: a small one, and the way of a large array to the device. Read by the wall clock. */
function* callRows(): Generator<Row> {
  const [n, d] = [scaled(1_000_000), 128];
  const host = matrix(n, d, 1);
  yield { kernel: 'uploadMatrix', shape: `${n} x ${d}`, crossing: 4 * n * d, run: () => uploaded(host).dispose() };
  const [points, centroids] = [matrix(64, 32, 1), matrix(32, 32, 2)];
  const run = () => kernels.nearestCentroidSync(points, centroids, { device });
  yield { kernel: 'nearestCentroid', shape: '64 x 32, d 32, from the host', run };
}

const limits = addon.deviceLimits();
const RUNS = flags.tiny ? 1 : 7;

function median(times: number[]): number {
  return [...times].sort((x, y) => x - y)[times.length >> 1];
}

/** The median of several runs, after one that loads the kernels. */
function measure({ kernel, shape, flops, bytes, crossing, run }: Row) {
  run();
  addon.kernelMilliseconds();
  const launched = addon.info().graphLaunches!;
  const [device, wall]: [number[], number[]] = [[], []];
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    run();
    wall.push(performance.now() - start);
    device.push(addon.kernelMilliseconds());
  }
  const milliseconds = median(device);
  const tflops = flops && flops / milliseconds / 1e9;
  const gbytes = bytes && bytes / milliseconds / 1e6;
  console.error(
    `${kernel} ${shape}: ${milliseconds.toFixed(3)} ms on the device, ${median(wall).toFixed(3)} ms in all`,
  );
  return {
    ...{ kernel, shape, milliseconds, least: Math.min(...device), most: Math.max(...device) },
    wallMilliseconds: median(wall),
    graphLaunches: (addon.info().graphLaunches! - launched) / RUNS,
    ...(tflops && { tflops, shareOfFp32: tflops / limits.fp32Tflops }),
    ...(gbytes && { gbytes, shareOfMemory: gbytes / limits.gbytes }),
    ...(crossing && { crossingGbytes: crossing / median(wall) / 1e6 }),
  };
}

function torch(): unknown {
  if (flags.torch) {
    const text = existsSync(flags.torch) ? readFileSync(flags.torch, 'utf8') : '';
    return text === '' ? { skipped: `nothing in ${flags.torch}` } : JSON.parse(text);
  }
  const script = fileURLToPath(new URL('peers/gpu.py', import.meta.url));
  const { status, stdout, stderr } = spawnSync('python3', [script], { encoding: 'utf8' });
  return status === 0 ? JSON.parse(stdout) : { skipped: (stderr ?? 'no python3').trim().split('\n').at(-1) };
}

// A row's matrices are freed when the next row is asked for.
function* measured(rows: Iterable<Row>) {
  for (const row of rows) yield measure(row);
}
const results = [callRows, attackRows, assignmentRows, clusterRows, distanceRows].flatMap((rows) => [
  ...measured(rows()),
]);
console.log(JSON.stringify({ device: gpu.detail, limits, kernels: results, torch: torch() }, null, 2));
