import { beforeEach, expect, test, vi } from 'vitest';
import { BoundedAssignment } from '../../src/distributed/kmeans-bounds.js';
import * as kernels from '../../src/kernels/index.js';
import { randomStream } from '../../src/random.js';
import { testDevices } from '../kernels/support.js';
import { blobs } from './shard.js';

vi.mock('../../src/kernels/index.js', { spy: true });

const compared = () => vi.mocked(kernels.nearestCentroid).mock.calls.map(([points]) => points.rows);

beforeEach(() => void vi.mocked(kernels.nearestCentroid).mockClear());

/** Centroids among the points' centers, which then wander, ever less; some jump far, one stands on another. */
function* wandering(points: kernels.Matrix, k: number, steps: number): Generator<kernels.Matrix> {
  const random = randomStream(5, 'wandering');
  const { cols } = points;
  const data = points.data.slice(0, k * cols);
  for (let step = 0; step < steps; step++) {
    yield { data: data.slice(), rows: k, cols };
    for (let i = 0; i < data.length; i++) data[i] += (random.normal() * 0.3) / (1 + step);
    if (step === 4) data.copyWithin(0, 3 * cols, 4 * cols);
    if (step === 6) for (let i = 0; i < cols; i++) data[2 * cols + i] += 9;
  }
}

const scaled = ({ data, ...shape }: kernels.Matrix, factor: number, offset = 0): kernels.Matrix => ({
  data: data.map((value) => value * factor + offset),
  ...shape,
});

test.each(testDevices.filter((device) => device === 'cpu' || device === 'js'))(
  'on %s labels are those of the full comparison, whatever moves, of any scale and far from the origin',
  async (device) => {
    const points = blobs(700, 6, 12);
    for (const [k, factor, offset] of [
      [12, 1, 0],
      [70, 1, 0],
      [2, 1, 0],
      [1, 1, 0],
      [12, 1, 1000],
      [12, 1e-21, 0],
      [12, 1e-30, 0],
      [12, 1e18, 0],
    ]) {
      const all = scaled(points, factor, offset);
      const assignment = new BoundedAssignment(kernels.uploadMatrix(all, { device }), { device });
      for (const of of wandering(points, k, 12)) {
        const centroids = scaled(of, factor, offset);
        const { labels } = kernels.nearestCentroidSync(all, centroids, { device });
        expect(await assignment.labels(centroids)).toEqual(labels);
      }
    }
  },
);

test.each([12, 70])('%i centroids that hardly move leave most rows alone', async (k) => {
  const points = blobs(2000, 6, k);
  const assignment = new BoundedAssignment(kernels.uploadMatrix(points), {});
  const passes = [...wandering(points, k, 4)];
  await assignment.labels(passes[0]);
  expect(compared()).toEqual([2000]);
  const near = scaled(passes[0], 1 + 1e-3);
  await assignment.labels(near);
  await assignment.labels(near);
  // None, or few.
  expect(
    compared()
      .slice(1)
      .every((rows) => rows < 400),
  ).toBe(true);
});
