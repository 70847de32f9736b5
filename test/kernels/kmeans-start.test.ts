import { describe, expect, test } from 'vitest';
import { kmeans, type Matrix } from '../../src/kernels/index.js';
import { randomStream } from '../../src/random.js';
import { normalMatrix, testDevices, timesOn } from './support.js';

/** 12 points in 4 groups, far from each other beside their spread. */
function fourGroups(seed: number, cols: number, scale: number): Matrix {
  const random = randomStream(seed, 'groups');
  const centers = Float64Array.from({ length: 4 * cols }, () => 10 * random.normal());
  const data = Float32Array.from({ length: 12 * cols }, (_, i) => {
    const group = Math.floor(i / cols) % 4;
    return scale * (centers[group * cols + (i % cols)] + 0.1 * random.normal());
  });
  return { data, rows: 12, cols };
}

const together = Array.from({ length: 12 }, (_, i) => i % 4);

/** The rows that a start drew: with one iteration from them, what is returned tells. */
async function startOf(
  points: Matrix,
  k: number,
  seed: number,
  device: 'js' | 'cpu' | 'cuda' | 'webgpu',
  init?: 'k-means||',
) {
  const seen: number[] = [];
  const onIteration = ({ inertia }: { inertia: number }) => seen.push(inertia);
  const { labels } = await kmeans(points, { k, seed, init, maxIterations: 1, device, onIteration });
  return { labels, seen: seen.map((inertia) => inertia.toPrecision(12)) };
}

describe.each(testDevices)('%s', (device) => {
  const TIMES = timesOn(device, 50, 12);

  test.each([1e-40, 1e-25, 1, 1e25, 1e36])(
    `finds 4 groups from a k-means++ start, ${TIMES} of ${TIMES}, at scale %d`,
    async (scale) => {
      for (let seed = 0; seed < TIMES; seed++) {
        const { labels } = await kmeans(fourGroups(seed, 20, scale), { k: 4, seed, device });
        const names = new Map([...labels].map((label, i) => [label, i % 4]));
        expect([...labels].map((label) => names.get(label))).toEqual(together);
      }
    },
  );

  test('draws the start that JavaScript draws, for k near n too', async () => {
    for (let seed = 0; seed < timesOn(device, 40, 10); seed++) {
      const points = normalMatrix(15, 22, { seed });
      expect(await startOf(points, 14, seed, device)).toEqual(await startOf(points, 14, seed, 'js'));
    }
  });

  // The emulator takes minutes for it; its parity table has a case of k-means||.
  test.skipIf(device === 'cuda')('draws it in blocks too, as k-means|| does', async () => {
    const points = normalMatrix(1300, 3, { seed: 3, scale: 1e24 });
    const start = (on: typeof device | 'js') => startOf(points, 1001, 1, on, 'k-means||');
    expect(await start(device)).toEqual(await start('js'));
  });

  test.skipIf(device === 'cuda')('is as good for more than 1000 clusters: greedy, better than in blocks', async () => {
    const points = normalMatrix(1300, 3, { seed: 3 });
    const inertia = async (init: 'k-means++' | 'k-means||') =>
      (await kmeans(points, { k: 1010, init, seed: 2, device })).inertia;
    expect(await inertia('k-means++')).toBeLessThan(0.9 * (await inertia('k-means||')));
  });

  test('every row of n is a cluster of its own for k = n', async () => {
    for (const [rows, cols, scale] of [
      [15, 22, 1],
      [40, 3, 1e-30],
      [33, 17, 1e25],
    ] as const) {
      const { counts, inertia } = await kmeans(normalMatrix(rows, cols, { scale }), { k: rows, device });
      expect(counts).toEqual(new Int32Array(rows).fill(1));
      expect(inertia).toBe(0);
    }
  });
});
