import { expect, test } from 'vitest';
import { kmeans, nearestCentroid, pairwiseDistance, pairwiseDistanceSync } from '../../src/kernels/index.js';
import { describeNative, normalMatrix } from './support.js';

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength);

describeNative('same bits for any slicing', () => {
  test('a batch is its matrices one by one', async () => {
    const [a, b] = [normalMatrix(70, 33, { batch: 3 }), normalMatrix(45, 33, { batch: 3, seed: 2 })];
    const whole = await pairwiseDistance(a, b);
    for (let i = 0; i < 3; i++) {
      const one = await pairwiseDistance(
        { data: a.data.slice(i * 70 * 33, (i + 1) * 70 * 33), rows: 70, cols: 33 },
        { data: b.data.slice(i * 45 * 33, (i + 1) * 45 * 33), rows: 45, cols: 33 },
      );
      expect(one.data).toEqual(whole.data.slice(i * 70 * 45, (i + 1) * 70 * 45));
    }
  });

  test.each([
    ['sqeuclidean', 20],
    ['euclidean', 20],
    ['cosine', 20],
    ['dot', 20],
    ['sqeuclidean', 7],
  ] as const)(
    'where a large result begins in memory changes nothing, nor is anything else written (%s, d %i)',
    (metric, d) => {
      // Above 4 million values they are written past the caches, by whole lines of memory; halves are not.
      const [rows, columns] = [2100, 2048];
      const [a, b] = [normalMatrix(rows, d), normalMatrix(columns, d, { seed: 2 })];
      const half = rows / 2;
      const halves = [0, 1].map((i) => ({
        data: a.data.subarray(i * half * d, (i + 1) * half * d),
        rows: half,
        cols: d,
      }));
      const expected = Buffer.concat(
        halves.map((own) => bytesOf(pairwiseDistanceSync(own, b, { metric, device: 'cpu' }).data)),
      );
      const size = rows * columns;
      const memory = new Float32Array(size + 32).fill(-7);
      for (let begin = 0; begin <= 16; begin += 4) {
        const out = memory.subarray(begin, begin + size);
        pairwiseDistanceSync(a, b, { metric, device: 'cpu', out });
        expect(bytesOf(out).equals(expected), `from value ${begin}`).toBe(true);
        const around = [...memory.subarray(0, begin), ...memory.subarray(begin + size)];
        expect(around.every((value) => value === -7)).toBe(true);
        memory.fill(-7);
      }
    },
  );

  test('rows alone are rows among others', async () => {
    const [points, centroids] = [normalMatrix(700, 65), normalMatrix(37, 65, { seed: 2 })];
    const whole = await nearestCentroid(points, centroids);
    for (const row of [0, 1, 239, 240, 699]) {
      const one = await nearestCentroid(
        { data: points.data.slice(row * 65, (row + 1) * 65), rows: 1, cols: 65 },
        centroids,
      );
      expect(one.labels[0]).toBe(whole.labels[row]);
      expect(one.distances[0]).toBe(whole.distances[row]);
      expect(one.secondDistances[0]).toBe(whole.secondDistances[row]);
    }
  });

  // The first shape takes the short product, the second sums while it assigns.
  test.each([
    [6000, 256, 100, 120],
    [9000, 24, 60, 80],
  ])('pruned k-means is plain Lloyd, %i x %i', async (rows, cols, clusters, k) => {
    const noise = normalMatrix(rows, cols, { seed: 3 });
    const centers = normalMatrix(clusters, cols, { seed: 4 });
    const center = (i: number) => centers.data[(Math.floor(i / cols) % clusters) * cols + (i % cols)];
    const points = { ...noise, data: noise.data.map((x, i) => 0.8 * x + center(i)) };
    const init = { data: points.data.slice(0, k * cols), rows: k, cols };
    const pruned = await kmeans(points, { init, maxIterations: 25 });
    expect(await kmeans(points, { init, maxIterations: 25, pruning: false })).toEqual(pruned);
    expect(pruned.iterations).toBeGreaterThan(2);
  });

  test('the same seed gives the same k-means, another seed another start', async () => {
    const points = normalMatrix(500, 9);
    const run = (seed: number) => kmeans(points, { k: 20, seed, maxIterations: 2 });
    expect(await run(1)).toEqual(await run(1));
    expect((await run(2)).centroids.data).not.toEqual((await run(1)).centroids.data);
  });
});
