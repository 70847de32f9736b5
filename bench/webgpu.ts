/**
 * `npx tsx bench/webgpu.ts [--tiny] [--only PATTERN]`: every WebGPU kernel at real sizes, as one JSON. Per row the wall clock of the call (the median of
 * three after one that compiles) and the device's time by timestamp queries, where the adapter has them, of calls that meet it awake;
 * TFLOP/s and GB/s are by the latter. --tiny is for an adapter in software, which shows that the bench runs and nothing else. Without an adapter it says so.
 */
import { parseArgs } from 'node:util';
import * as kernels from '../src/kernels/index.js';
import { webgpuDevice } from '../src/kernels/webgpu/device.js';
import { probeWebgpu } from '../src/kernels/webgpu/probe.js';
import { Gpu } from '../src/kernels/webgpu/run.js';
import type { GpuBuffer, GpuQuerySet } from '../src/kernels/webgpu/types.js';
import { uniformMatrix as matrix } from './uniform-matrix.js';

const { values: flags } = parseArgs({
  options: { tiny: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const { adapter, software, failure } = probeWebgpu();
if (!adapter || (software && !flags.tiny)) {
  console.log(`skipped: no GPU to measure; ${failure ?? adapter?.description}`);
  process.exit(0);
}
const { device: gpu, globals } = await webgpuDevice();
const device = 'webgpu' as const;

/** The passes of a call, in milliseconds; undefined without the feature. */
const passes: { set: GpuQuerySet; to: GpuBuffer }[] = [];
const timed = gpu.features.has('timestamp-query');
if (timed) {
  Gpu.clock = {
    begin: (on) => {
      const { QUERY_RESOLVE, COPY_SRC } = globals.GPUBufferUsage;
      const set = on.createQuerySet({ type: 'timestamp', count: 2 });
      passes.push({ set, to: on.createBuffer({ size: 16, usage: QUERY_RESOLVE | COPY_SRC }) });
      return { timestampWrites: { querySet: set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } };
    },
    end: (_, encoder) => encoder.resolveQuerySet(passes[passes.length - 1].set, 0, 2, passes[passes.length - 1].to, 0),
  };
}

async function deviceMilliseconds(): Promise<number | undefined> {
  if (passes.length === 0) return undefined;
  const all = passes.splice(0);
  const { MAP_READ, COPY_DST } = globals.GPUBufferUsage;
  const staging = gpu.createBuffer({ size: 16 * all.length, usage: MAP_READ | COPY_DST });
  const encoder = gpu.createCommandEncoder();
  for (const [i, { to }] of all.entries()) encoder.copyBufferToBuffer(to, 0, staging, 16 * i, 16);
  gpu.queue.submit([encoder.finish()]);
  await staging.mapAsync(globals.GPUMapMode.READ);
  const times = new BigUint64Array(staging.getMappedRange());
  let sum = 0;
  for (let i = 0; i < all.length; i++) sum += Number(times[2 * i + 1] - times[2 * i]);
  staging.destroy();
  for (const { set, to } of all) for (const part of [set, to]) part.destroy();
  return sum / 1e6;
}

interface Row {
  kernel: string;
  shape: string;
  flops?: number;
  bytes?: number;
  run(): Promise<unknown>;
}

/** A card at rest may lower its clocks, and a call's host part is long: work before a call, so that it meets the device awake. */
async function wakes(): Promise<() => void> {
  const code = `@group(0) @binding(0) var<storage, read_write> to: array<f32>;
@compute @workgroup_size(256) fn main(@builtin(global_invocation_id) id: vec3u) {
  var x = f32(id.x);
  for (var i = 0u; i < ${flags.tiny ? 10 : 20_000}u; i++) { x = fma(x, 0.999, 1.0); }
  to[id.x] = x;
}`;
  const groups = flags.tiny ? 1 : 4096;
  const compute = { module: gpu.createShaderModule({ code }), entryPoint: 'main' };
  const pipeline = await gpu.createComputePipelineAsync({ layout: 'auto', compute });
  const buffer = gpu.createBuffer({ size: 1024 * groups, usage: globals.GPUBufferUsage.STORAGE });
  const layout = pipeline.getBindGroupLayout(0);
  const group = gpu.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
  return () => {
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < 40; i++) pass.dispatchWorkgroups(groups);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
  };
}
const wake = await wakes();

const scaled = (size: number) => (flags.tiny ? 48 : size);

const on = (m: kernels.Matrix) => kernels.uploadMatrix(m, { device });

function* distanceRows(): Generator<Row> {
  for (const [n, m, d] of [
    [scaled(8000), scaled(8000), 256],
    [scaled(8000), scaled(8000), 512],
  ]) {
    const [a, b] = [on(matrix(n, d, 1)), on(matrix(m, d, 2))];
    for (const metric of ['sqeuclidean', 'cosine', 'dot'] as const) {
      const run = () => kernels.pairwiseDistance(a, b, { metric, device });
      yield { kernel: `pairwiseDistance ${metric}`, shape: `${n} x ${m}, d ${d}`, flops: 2 * n * m * d, run };
    }
  }
  for (const [n, k, d] of [
    [scaled(1_000_000), scaled(1000), 128],
    [scaled(200_000), scaled(4096), 256],
  ]) {
    const [points, centroids] = [on(matrix(n, d, 1)), on(matrix(k, d, 2))];
    const run = () => kernels.nearestCentroid(points, centroids, { device });
    yield { kernel: 'nearestCentroid', shape: `${n} x ${k}, d ${d}`, flops: 2 * n * k * d, run };
  }
  const [q, n, d] = [scaled(10_000), scaled(60_000), 128];
  const [queries, points] = [on(matrix(q, d, 1)), on(matrix(n, d, 2))];
  const run = () => kernels.nearestNeighbors(queries, points, { k: Math.min(q, 10), device });
  yield { kernel: 'nearestNeighbors', shape: `${q} of ${n}, d ${d}, k 10`, flops: 2 * q * n * d, run };
}

function* clusteringRows(): Generator<Row> {
  const [n, k, d] = [scaled(500_000), Math.min(scaled(256), 16 * scaled(1)), 128];
  const points = matrix(n, d, 1);
  const uploaded = on(points);
  const init = { data: points.data.slice(0, k * d), rows: k, cols: d };
  const iterations = 10;
  yield {
    ...{ kernel: 'kmeans', shape: `${n} x ${k}, d ${d}, ${iterations} iterations`, flops: 2 * n * k * d * iterations },
    run: () => kernels.kmeans(uploaded, { init, maxIterations: iterations, device }),
  };
  const labels = Int32Array.from({ length: n }, (_, i) => i % k);
  yield {
    ...{ kernel: 'centroidMeans', shape: `${n} x ${d}, k ${k}`, bytes: 4 * n * d },
    run: () => kernels.centroidMeans(points, labels, { k, device }),
  };
}

function* attackRows(): Generator<Row> {
  const [n, d] = [scaled(64), flags.tiny ? 48 : 150_528];
  const [origin, gradient] = [matrix(n, d, 1, 0), matrix(n, d, 2)];
  for (const norm of ['linf', 'l2', 'l1'] as const) {
    const o = {
      origin,
      current: origin,
      gradient,
      norm,
      epsilon: 0.5,
      stepSize: 2,
      box: [0, 1] as [number, number],
      device,
    };
    const [shape, bytes] = [`${n} x ${d}`, 16 * n * d];
    yield { kernel: `attackStep ${norm}`, shape, bytes, run: () => kernels.attackStep(o) };
    const p = { norm, epsilon: 0.5, around: origin, device };
    yield {
      kernel: `projectPerturbation ${norm}`,
      shape,
      bytes: 12 * n * d,
      run: () => kernels.projectPerturbation(gradient, p),
    };
  }
}

async function measure({ kernel, shape, flops, bytes, run }: Row) {
  const walls: number[] = [];
  const times: (number | undefined)[] = [];
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    await run();
    walls.push(performance.now() - start);
    await deviceMilliseconds();
    // Once more for the device's time: that wait is none of a call's.
    wake();
    await run();
    times.push(await deviceMilliseconds());
  }
  const median = (of: number[]) => of.slice(1).sort((a, b) => a - b)[1];
  const onDevice = times.every((time) => time !== undefined) ? median(times as number[]) : undefined;
  const rounded = (x: number | undefined) => (x === undefined ? undefined : Number(x.toPrecision(4)));
  return {
    ...{ kernel, shape, firstMs: rounded(walls[0]), wallMs: rounded(median(walls)), deviceMs: rounded(onDevice) },
    ...(flops && onDevice && { tflops: rounded(flops / onDevice / 1e9) }),
    ...(bytes && onDevice && { gbytes: rounded(bytes / onDevice / 1e6) }),
  };
}

const { vendor, architecture, description } = adapter;
const rows = [];
for (const row of [...distanceRows(), ...clusteringRows(), ...attackRows()]) {
  if (!new RegExp(flags.only ?? '').test(`${row.kernel} ${row.shape}`)) continue;
  rows.push(await measure(row));
  console.error(JSON.stringify(rows[rows.length - 1]));
}
console.log(JSON.stringify({ adapter: { vendor, architecture, description, software }, rows }, null, 2));
