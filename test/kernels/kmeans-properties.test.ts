import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KMeansOptions, kmeans, kmeansSync, type Matrix } from '../../src/kernels/index.js';
import { testDevices, timesOn } from './support.js';

/** Few values, so that points are equal, distances tie and clusters are left empty; exact in any order of summation. */
const cases = fc
  .record({
    rows: fc.integer({ min: 1, max: 24 }),
    cols: fc.integer({ min: 1, max: 5 }),
    scale: fc.constantFrom(1, 2 ** 70, 2 ** -80),
  })
  .chain(({ rows, cols, scale }) =>
    fc.record({
      points: fc
        .array(fc.integer({ min: -2, max: 2 }), { minLength: rows * cols, maxLength: rows * cols })
        .map((values): Matrix => ({ data: Float32Array.from(values, (x) => x * scale), rows, cols })),
      k: fc.oneof(fc.constantFrom(1, rows), fc.integer({ min: 1, max: rows })),
      init: fc.constantFrom('k-means++' as const, 'k-means||' as const, 'random' as const),
      restarts: fc.integer({ min: 1, max: 3 }),
      maxIterations: fc.constantFrom(1, 2, 300),
      seed: fc.integer({ min: 0, max: 99 }),
    }),
  );

const squared = ({ data, cols }: Matrix, i: number, c: Matrix, j: number) => {
  let sum = 0;
  for (let k = 0; k < cols; k++) sum += (data[i * cols + k] - c.data[j * cols + k]) ** 2;
  return sum;
};

describe.each(testDevices)('k-means on %s', (device) => {
  const RUNS = device === 'cuda' || device === 'webgpu' ? timesOn(device, 40, 15) : 300;

  test('holds what it promises, whatever n, k, duplicates and restarts', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ points, k, ...options }) => {
        const changes: number[] = [];
        const onIteration = ({ changed }: { changed: number }) => changes.push(changed);
        const found = await kmeans(points, { k, ...options, device, onIteration });
        const { labels, centroids, counts, inertia, iterations, converged } = found;
        expect(counts.reduce((sum, count) => sum + count)).toBe(points.rows);
        for (let c = 0; c < k; c++) expect(counts[c]).toBe(labels.filter((label) => label === c).length);
        let total = 0;
        labels.forEach((label, i) => {
          const own = squared(points, i, centroids, label);
          total += own;
          // The lowest of the nearest.
          for (let c = 0; c < k; c++) expect(squared(points, i, centroids, c)).toBeGreaterThanOrEqual(own);
          for (let c = 0; c < label; c++) expect(squared(points, i, centroids, c)).toBeGreaterThan(own);
        });
        expect(Math.abs(inertia - total)).toBeLessThanOrEqual(1e-12 * total);
        expect(iterations).toBeLessThanOrEqual(options.maxIterations);
        if (options.restarts === 1) expect(changes.length).toBe(iterations);
        if (!converged) expect(iterations).toBe(options.maxIterations);
        const distinct = new Set(
          Array.from({ length: points.rows }, (_, i) =>
            points.data.slice(i * points.cols, (i + 1) * points.cols).join(),
          ),
        ).size;
        if (converged && distinct >= k) expect(counts.every((count) => count > 0)).toBe(true);
        if (converged && distinct <= k) expect(inertia).toBe(0);
      }),
      { numRuns: RUNS, seed: 5 },
    );
  });

  test('gives what JavaScript gives', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ points, k, ...options }) => {
        const run = async (on: KMeansOptions['device']) => kmeans(points, { k, ...options, device: on });
        const [found, expected] = [await run(device), await run('js')];
        expect({ ...found, centroids: 0, inertia: 0 }).toEqual({ ...expected, centroids: 0, inertia: 0 });
        expect(Math.abs(found.inertia - expected.inertia)).toBeLessThanOrEqual(1e-6 * expected.inertia);
      }),
      { numRuns: RUNS, seed: 6 },
    );
  });

  test('an empty cluster takes the farthest point that is not the only one of its own', async () => {
    const points = { data: Float32Array.of(0, 1, 10), rows: 3, cols: 1 };
    // Of 0 and 1 in the first the first one; 10, far from its centroid, is all that the second has.
    const init = { data: Float32Array.of(0.5, 6, 100), rows: 3, cols: 1 };
    const { labels, centroids, counts } = await kmeans(points, { init, device });
    expect([labels, centroids.data, counts].map((values) => [...values])).toEqual([
      [2, 0, 1],
      [1, 10, 0],
      [1, 1, 1],
    ]);
  });

  test('points that are all equal are one cluster', async () => {
    const points = { data: new Float32Array(60).fill(1e25), rows: 20, cols: 3 };
    const { labels, counts, inertia, converged } = await kmeans(points, { k: 5, restarts: 2, device });
    expect([...counts]).toEqual([20, 0, 0, 0, 0]);
    expect([labels.every((label) => label === 0), inertia, converged]).toEqual([true, 0, true]);
  });
});

describe.skipIf(!testDevices.includes('cpu'))('k-means of many matrices', () => {
  test('130,000 of them are no longer list of arguments than one', () => {
    const batch = 130_000;
    const points = { data: Float32Array.from({ length: 2 * batch }, (_, i) => i % 7), rows: 2, cols: 1, batch };
    const { labels, iterations } = kmeansSync(points, { k: 1, init: 'random', device: 'cpu' });
    expect([labels.length, iterations]).toEqual([2 * batch, 2]);
  });
});
