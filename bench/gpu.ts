/**
 * `npm run bench:gpu`: every CUDA kernel at real sizes, its launches timed on the device by CUDA events, matrices already there;
 * printed as one JSON with TFLOP/s, GB/s and the share of the device's limits by its clocks (fp32 without tensor cores, memory).
 * Beside each product what torch (cuBLAS) takes for it, where python3 has torch with CUDA. Without a GPU it says so and ends well.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

// Read by the addon when it is loaded.
process.env.EAT_DML_CUDA_TIMING = '1';
const { cudaAttempts } = await import('../src/kernels/load-addon.js');
const kernels = await import('../src/kernels/index.js');
const { randomStream } = await import('../src/random.js');

const device = 'cuda' as const;
const gpu = kernels.devices()[0];
if (!gpu.available || gpu.byNameOnly) {
  console.log(`skipped: no GPU to measure; ${gpu.detail}`);
  process.exit(0);
}
const path = cudaAttempts().find(({ failure }) => failure === undefined)!.path;
const addon = createRequire(import.meta.url)(path) as {
  kernelMilliseconds(): number;
  deviceLimits(): { fp32Tflops: number; gbytes: number };
};

interface Row {
  kernel: string;
  shape: string;
  flops?: number;
  bytes?: number;
  run(): unknown;
}

function matrix(rows: number, cols: number, low = -0.5) {
  const { uniform } = randomStream(1, 'bench', rows, cols);
  return { data: Float32Array.from({ length: rows * cols }, () => low + uniform()), rows, cols };
}

function* distanceRows(): Generator<Row> {
  for (const [n, k, d] of [
    [1_000_000, 1000, 128],
    [500_000, 4096, 512],
  ]) {
    const [points, centroids] = [kernels.uploadMatrix(matrix(n, d), { device }), matrix(k, d, 0)];
    const shape = `${n} x ${k}, d ${d}`;
    yield {
      kernel: 'nearestCentroid',
      shape,
      flops: 2 * n * k * d,
      run: () => kernels.nearestCentroidSync(points, centroids, { device }),
    };
    points.dispose();
  }
  const [n, d] = [16_384, 256];
  const [a, b] = [matrix(n, d), matrix(n, d, 0)].map((m) => kernels.uploadMatrix(m, { device }));
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
  const [n, k, d] = [1_000_000, 1000, 128];
  const points = kernels.uploadMatrix(matrix(n, d), { device });
  const labels = Int32Array.from({ length: n }, (_, i) => (i * 7919) % k);
  const shape = `${n}, k ${k}, d ${d}`;
  yield {
    kernel: 'centroidMeans',
    shape,
    bytes: 4 * n * (d + 1),
    run: () => kernels.centroidMeansSync(points, labels, { k, device }),
  };
  const options = { k, init: 'random', seed: 1, maxIterations: 10, device } as const;
  // Eleven assignments: one more after the last update.
  yield {
    kernel: 'kmeans',
    shape: `${shape}, 10 iterations`,
    flops: 22 * n * k * d,
    run: () => kernels.kmeansSync(points, options),
  };
  points.dispose();
}

function* attackRows(): Generator<Row> {
  const [n, d] = [256, 150_528];
  const [origin, gradient] = [matrix(n, d, 0), matrix(n, d)].map((m) => kernels.uploadMatrix(m, { device }));
  for (const norm of ['linf', 'l2', 'l1'] as const) {
    const o = {
      origin,
      current: origin,
      gradient,
      norm,
      epsilon: 0.1,
      stepSize: 0.02,
      box: [0, 1] as [number, number],
      device,
    };
    // What must be moved: three operands and the result.
    yield {
      kernel: 'attackStep',
      shape: `${norm} ${n} x ${d}, box`,
      bytes: 16 * n * d,
      run: () => kernels.attackStepSync(o),
    };
    const p = { norm, epsilon: 0.5, around: origin, box: [0, 1] as [number, number], device };
    yield {
      kernel: 'projectPerturbation',
      shape: `${norm} ${n} x ${d}, box`,
      bytes: 12 * n * d,
      run: () => kernels.projectPerturbationSync(gradient, p),
    };
  }
}

const limits = addon.deviceLimits();

/** The median of several runs, after one that loads the kernels. */
function measure({ kernel, shape, flops, bytes, run }: Row) {
  run();
  addon.kernelMilliseconds();
  const times: number[] = [];
  for (let i = 0; i < 7; i++) {
    run();
    times.push(addon.kernelMilliseconds());
  }
  const milliseconds = times.sort((x, y) => x - y)[3];
  const tflops = flops && flops / milliseconds / 1e9;
  const gbytes = bytes && bytes / milliseconds / 1e6;
  console.error(`${kernel} ${shape}: ${milliseconds.toFixed(3)} ms`);
  return {
    ...{ kernel, shape, milliseconds, least: times[0], most: times[6] },
    ...(tflops && { tflops, shareOfFp32: tflops / limits.fp32Tflops }),
    ...(gbytes && { gbytes, shareOfMemory: gbytes / limits.gbytes }),
  };
}

function torch(): unknown {
  const script = fileURLToPath(new URL('peers/gpu.py', import.meta.url));
  const { status, stdout, stderr } = spawnSync('python3', [script], { encoding: 'utf8' });
  return status === 0 ? JSON.parse(stdout) : { skipped: (stderr ?? 'no python3').trim().split('\n').at(-1) };
}

// A row's matrices are freed when the next row is asked for.
const results = [distanceRows, clusterRows, attackRows].flatMap((rows) => [...measured(rows())]);
function* measured(rows: Iterable<Row>) {
  for (const row of rows) yield measure(row);
}
console.log(JSON.stringify({ device: gpu.detail, limits, kernels: results, torch: torch() }, null, 2));
