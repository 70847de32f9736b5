import { expect, test } from 'vitest';
import { belongsOnGpu, workOf } from '../../src/kernels/device-choice.js';
import type { DeviceName, Matrix } from '../../src/kernels/index.js';
import { ResidentMatrix } from '../../src/kernels/resident-matrix.js';

/** Shapes only: nobody may ask for the values. */
const matrix = (rows: number, cols: number): Matrix => ({ data: new Float32Array(0), rows, cols });
function uploaded(rows: number, cols: number, device: DeviceName = 'cuda'): Matrix {
  return new ResidentMatrix({ rows, cols }, device, () => {
    throw new Error('the values were asked for');
  });
}

const THREADS = 8;
const floats = (length: number) => new Float32Array(length);
const gpu = (kernel: string, args: object, threads = THREADS) => belongsOnGpu(workOf(kernel, args)!, threads);

function assign(points: Matrix, centroids: Matrix) {
  const n = points.rows;
  return { points, centroids, labels: new Int32Array(n), distances: floats(n), secondDistances: floats(n) };
}

function kmeans(points: Matrix, k: number, maxIterations = 300) {
  const { rows: n, cols: d } = points;
  const centroids = floats(k * d);
  return { points, k, starts: 1, maxIterations, centroids, labels: new Int32Array(n), counts: new Int32Array(k) };
}

const step = (of: (rows: number, cols: number) => Matrix, n: number, d: number) => ({
  ...{ origin: of(n, d), current: of(n, d), gradient: of(n, d) },
  ...{ norm: 0, epsilon: 0.1, stepSize: 0.02, out: floats(n * d) },
});

test('the work of a call is its operations and the bytes of its arrays', () => {
  expect(workOf('nearestCentroid', assign(matrix(100, 8), matrix(5, 8)))).toEqual({
    operations: 2 * 100 * 5 * 8,
    bytes: 4 * (100 * 8 + 5 * 8 + 3 * 100),
    crossing: 4 * (100 * 8 + 5 * 8 + 3 * 100),
    roundTrips: 1,
  });
  expect(workOf('nearestCentroid', assign(uploaded(100, 8), matrix(5, 8)))!.crossing).toBe(4 * (5 * 8 + 3 * 100));
  // One that was uploaded to the CPU is on the host.
  expect(workOf('nearestCentroid', assign(uploaded(100, 8, 'cpu'), matrix(5, 8)))!.crossing).toBe(4 * (840 + 300));
  const batch = { ...matrix(100, 8), batch: 3 };
  expect(workOf('kmeans', { ...kmeans(batch, 5, 4), starts: 2 })).toMatchObject({
    operations: 2 * 3 * 100 * 8 * 5 * 4 * 2,
    roundTrips: 4 * 2 * 3,
  });
});

test('a kernel that no GPU has is not weighed', () => {
  expect(workOf('matmul', { a: floats(4), b: floats(4), m: 2, n: 2, k: 2 })).toBeUndefined();
});

test('small calls are over before a GPU has begun', () => {
  expect(gpu('nearestCentroid', assign(matrix(200, 32), matrix(10, 32)))).toBe(false);
  expect(gpu('nearestCentroid', assign(uploaded(200, 32), uploaded(10, 32)))).toBe(false);
  expect(gpu('kmeans', kmeans(uploaded(500, 16), 10))).toBe(false);
});

test('large products belong on a GPU, from the host too', () => {
  expect(gpu('nearestCentroid', assign(matrix(1_000_000, 128), matrix(1000, 128)))).toBe(true);
  expect(gpu('kmeans', kmeans(matrix(100_000, 128), 100))).toBe(true);
  const [a, b, out] = [matrix(8000, 256), matrix(8000, 256), floats(64_000_000)];
  expect(gpu('pairwiseDistance', { a, b, metric: 0, out })).toBe(true);
});

test('what is bound by memory belongs there only where its arrays are there', () => {
  const [n, d] = [256, 150_528];
  expect(gpu('attackStep', step(matrix, n, d))).toBe(false);
  expect(gpu('attackStep', step(uploaded, n, d))).toBe(true);
  // Few centroids: reading the points is what costs.
  expect(gpu('nearestCentroid', assign(matrix(1_000_000, 128), matrix(4, 128)))).toBe(false);
  expect(gpu('nearestCentroid', assign(uploaded(1_000_000, 128), matrix(4, 128)))).toBe(true);
});

test('without the CPU addon a GPU is worth it sooner', () => {
  const args = assign(matrix(2000, 32), matrix(10, 32));
  expect(gpu('nearestCentroid', args)).toBe(false);
  expect(gpu('nearestCentroid', args, 0)).toBe(true);
});

test('webgpu is taken later than cuda, and beside few threads alone: an H200 was slow by it', () => {
  const webgpu = (kernel: string, args: object, threads = THREADS) =>
    belongsOnGpu(workOf(kernel, args, 'webgpu')!, threads, 'webgpu');
  const assignment = (n: number, k: number) => assign(matrix(n, 128), matrix(k, 128));
  expect(webgpu('nearestCentroid', assign(matrix(200, 32), matrix(10, 32)))).toBe(false);
  expect([
    gpu('nearestCentroid', assignment(100_000, 300)),
    webgpu('nearestCentroid', assignment(100_000, 300)),
  ]).toEqual([true, false]);
  const large = assignment(1_000_000, 4096);
  expect([2, 16].map((threads) => webgpu('nearestCentroid', large, threads))).toEqual([true, false]);
  expect(webgpu('attackStep', step(matrix, 256, 150_528))).toBe(false);
  // What is on the other device has to be sent, too.
  const on = (device: DeviceName) =>
    workOf('nearestCentroid', assign(uploaded(100, 8, device), matrix(5, 8)), 'webgpu')!;
  expect(on('webgpu').crossing).toBeLessThan(on('cuda').crossing);
});
