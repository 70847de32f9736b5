import { afterEach, describe, expect, test } from 'vitest';
import { devices, type Matrix, nearestCentroidSync, nearestNeighborsSync } from '../../src/kernels/index.js';
import { randomStream } from '../../src/random.js';
import { normalMatrix, timesOn, worstRelative } from './support.js';

/** A GPU, or the emulator (test/simt/shared.test.ts). The parity table's variants are in test/simt and test/gpu. */
const cuda = devices().find((d) => d.name === 'cuda' && d.available);
/** 5 is for sm_90, which the emulator claims to be for it. */
const VARIANTS =
  cuda?.byNameOnly || /sm_90/.test(cuda?.detail ?? '') ? ['1', '2', '3', '4', '5'] : ['1', '2', '3', '4'];
/** An emulator takes a minute for 100,000: there they are shared out among the variants. */
const PAIRS = timesOn('cuda', cuda?.byNameOnly ? 100_000 / VARIANTS.length : 100_000, 700);

afterEach(() => {
  delete process.env.EAT_DML_CUDA_VARIANT;
  delete process.env.EAT_SIMT_SM;
});

function force(variant: string): void {
  process.env.EAT_DML_CUDA_VARIANT = variant;
  if (variant === '5') process.env.EAT_SIMT_SM = '90';
}

/** Centroids in pairs that differ by at most 3 units in the last place of one coordinate, every fourth pair by nothing at all. */
function pairs(k: number, d: number): Matrix {
  const centroids = normalMatrix(k, d, { seed: 7, offset: 1 });
  const bits = new Int32Array(centroids.data.buffer);
  for (let j = 0; j < k; j += 2) {
    centroids.data.copyWithin((j + 1) * d, j * d, (j + 1) * d);
    bits[(j + 1) * d + (j % d)] += (j / 2) % 4;
  }
  return centroids;
}

/**
 * Points around the centroids, so that each has its two best a hair's breadth apart. Near ones, whose distances cancel, and far
 * ones, whose distances float gives well enough but not which is smaller.
 */
function between(centroids: Matrix, rows: number): Matrix {
  const random = randomStream(8, 'between');
  const { cols: d, rows: k } = centroids;
  const data = Float32Array.from({ length: rows * d }, (_, i) => {
    const row = Math.floor(i / d);
    return centroids.data[((row * 2) % k) * d + (i % d)] + (row % 8 === 7 ? 0.1 : 1) * random.normal();
  });
  return { data, rows, cols: d };
}

/** Of each kernel by itself: test:gpu gives it a process of its own. */
describe.skipIf(!cuda).each(VARIANTS)('cuda variant %s', (variant) => {
  describe('nearestCentroid', () => {
    test(`the reference's labels on ${PAIRS} pairs that float cannot tell apart`, { timeout: 300_000 }, () => {
      force(variant);
      const centroids = pairs(6, 17);
      const points = between(centroids, PAIRS);
      const expected = nearestCentroidSync(points, centroids, { device: 'js' });
      const closest = expected.secondDistances.map((second, i) => second - expected.distances[i]);
      expect(closest.every((gap) => gap < 1e-5)).toBe(true);
      expect(expected.labels.filter((label) => label % 2 === 1).length).toBeGreaterThan(PAIRS / 4);
      const received = nearestCentroidSync(points, centroids, { device: 'cuda' });
      expect(received.labels).toEqual(expected.labels);
      expect(worstRelative(received.distances, expected.distances)).toBeLessThan(1e-6);
      expect(worstRelative(received.secondDistances, expected.secondDistances)).toBeLessThan(1e-6);
    });

    test('a row alone is the row among others, bit for bit', () => {
      force(variant);
      const [points, centroids] = [normalMatrix(300, 65), normalMatrix(150, 65, { seed: 2 })];
      const whole = nearestCentroidSync(points, centroids, { device: 'cuda' });
      for (const row of [0, 127, 128, 299]) {
        const alone = { data: points.data.slice(row * 65, (row + 1) * 65), rows: 1, cols: 65 };
        const one = nearestCentroidSync(alone, centroids, { device: 'cuda' });
        expect([one.labels[0], one.distances[0], one.secondDistances[0]]).toEqual([
          whole.labels[row],
          whole.distances[row],
          whole.secondDistances[row],
        ]);
      }
    });
  });

  describe('nearestNeighbors', () => {
    test('neighbours that float cannot tell apart', () => {
      force(variant);
      const points = pairs(40, 17);
      const queries = between(points, 160);
      for (const k of [1, 3]) {
        const expected = nearestNeighborsSync(queries, points, { k, device: 'js' });
        expect(nearestNeighborsSync(queries, points, { k, device: 'cuda' }).indices).toEqual(expected.indices);
      }
    });

    test('more equal points than a block has room for', () => {
      force(variant);
      const points = { ...normalMatrix(1, 20), rows: 1500, data: new Float32Array(1500 * 20).fill(0.25) };
      points.data.fill(0.5, 0, 20);
      const queries = { rows: 3, cols: 20, data: points.data.slice(0, 60) };
      const { indices, distances } = nearestNeighborsSync(queries, points, { k: 3, device: 'cuda' });
      expect([...indices]).toEqual([0, 1, 2, 1, 2, 3, 1, 2, 3]);
      expect([...distances]).toEqual([0, 1.25, 1.25, 0, 0, 0, 0, 0, 0]);
    });
  });
});

test.skipIf(!cuda)('an unknown variant gives one sentence', () => {
  process.env.EAT_DML_CUDA_VARIANT = '9';
  const [a, b] = [normalMatrix(2, 3), normalMatrix(2, 3)];
  expect(() => nearestCentroidSync(a, b, { device: 'cuda' })).toThrow(
    'Expected 1 to 5 for EAT_DML_CUDA_VARIANT but received 9.',
  );
});

test.skipIf(!cuda?.byNameOnly)('variant 5 on another architecture gives one sentence', () => {
  process.env.EAT_DML_CUDA_VARIANT = '5';
  const [a, b] = [normalMatrix(2, 3), normalMatrix(2, 3)];
  expect(() => nearestCentroidSync(a, b, { device: 'cuda' })).toThrow(
    'EAT_DML_CUDA_VARIANT=5 needs a GPU of compute capability 9.0, and kernels built for 90a.',
  );
});
