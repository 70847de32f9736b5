import { describe, expect, test } from 'vitest';
import {
  type DistributedKMeansOptions,
  distributedKmeans,
  type Group,
  kmeans,
  type Matrix,
  shardOf,
  single,
} from '../../src/index.js';
import { testDevices } from '../kernels/support.js';
import { faults, ranks, values } from './in-memory.js';
import { bitsOf, blobs, clustered, ownRows } from './shard.js';

const points = blobs(1003, 5, 9);
/** Six clusters of which five are empty at first, and one point that is far from all. */
const crowded: Matrix = { data: new Float32Array(6 * 5).fill(50).fill(0, 0, 5), rows: 6, cols: 5 };

const CASES: Record<string, DistributedKMeansOptions> = {
  'k-means++': { k: 9, seed: 3 },
  'starts at random': { k: 12, init: 'random', restarts: 2, seed: 1 },
  'a tolerance': { k: 20, tolerance: 0.01, seed: 2 },
  'two iterations': { k: 8, maxIterations: 2 },
  'empty clusters': { init: crowded },
  'one cluster': { k: 1 },
};

describe.each(testDevices.filter((device) => device === 'cpu' || device === 'js'))('on %s', (device) => {
  test.each(Object.keys(CASES))('%s: any number of ranks gives the bits of one', async (name) => {
    const options = { ...CASES[name], device };
    const alone = bitsOf(await clustered(single(), points, options));
    for (const size of [2, 3, 7]) {
      const found = values(await ranks(size, async (group) => bitsOf(await clustered(group, points, options))));
      expect(found).toEqual(Array.from({ length: size }, () => alone));
    }
  });

  test.each<[string, Matrix]>([
    ['rows', { data: points.data.slice(0, 45), rows: 9, cols: 5 }],
    ['empty clusters', crowded],
  ])('from %s it finds what the kernel kmeans finds', async (_, init) => {
    const [of] = values(await ranks(3, (group) => clustered(group, points, { init, device })));
    const kernel = await kmeans(points, { init, device });
    expect(of.labels).toEqual(kernel.labels);
    expect(of.counts).toEqual(kernel.counts);
    expect({ iterations: of.iterations, converged: of.converged }).toEqual({
      iterations: kernel.iterations,
      converged: kernel.converged,
    });
    expect(of.inertia / kernel.inertia).toBeCloseTo(1, 6);
    of.centroids.data.forEach((value, i) => void expect(value).toBeCloseTo(kernel.centroids.data[i], 4));
  });
});

test('as many ranks as parts; fewer rows than parts', async () => {
  const few = { data: points.data.slice(0, 50), rows: 10, cols: 5 };
  const alone = bitsOf(await clustered(single(), few, { k: 3 }));
  expect(values(await ranks(10, async (group) => bitsOf(await clustered(group, few, { k: 3 }))))).toContain(alone);
  const many = bitsOf(await clustered(single(), points, { k: 3 }));
  expect(new Set(values(await ranks(64, async (group) => bitsOf(await clustered(group, points, { k: 3 })))))).toEqual(
    new Set([many]),
  );
});

test('k-means++ takes a row near every center, and others with another seed', async () => {
  const apart = blobs(600, 5, 6);
  apart.data.forEach((value, i) => {
    apart.data[i] = value + 100 * (Math.floor(i / 5) % 6);
  });
  const starts = await Promise.all(
    [1, 2].map((seed) => distributedKmeans(single(), apart, { k: 6, seed, maxIterations: 1 })),
  );
  for (const { counts } of starts) expect([...counts]).toEqual([100, 100, 100, 100, 100, 100]);
  expect(starts[0].labels).not.toEqual(starts[1].labels);
});

test('points may change once it runs', async () => {
  const own = { ...points, data: points.data.slice() };
  const running = distributedKmeans(single(), own, { k: 9, seed: 3, device: 'js' });
  await new Promise((resolve) => setImmediate(resolve));
  own.data.fill(Number.NaN);
  expect(bitsOf(await running)).toBe(bitsOf(await clustered(single(), points, { k: 9, seed: 3, device: 'js' })));
});

test('the signal of one rank ends the call on all', async () => {
  const stop = new AbortController();
  const stopped = await ranks(3, async (group) => {
    const running = clustered(group, points, {
      k: 9,
      restarts: 10 ** 6,
      ...(group.rank === 1 && { signal: stop.signal }),
    });
    if (group.rank === 1) setTimeout(() => stop.abort(), 50);
    return running;
  });
  expect(faults(stopped)).toEqual(
    Array.from({ length: 3 }, () => 'ERR_ABORTED: On rank 1: The operation was aborted.'),
  );
});

describe('what does not fit is one fault on every rank', () => {
  const all = async (size: number, work: (group: Group) => Promise<unknown>) => faults(await ranks(size, work));
  const three = (text: string) => [text, text, text];

  test('values of one rank', async () => {
    const bad = { ...points, data: points.data.slice() };
    bad.data[600 * 5 + 2] = Number.NaN;
    const row = 600 - shardOf(1003, { rank: 1, size: 3 }).begin;
    expect(await all(3, (group) => clustered(group, bad, { k: 2 }))).toEqual(
      three(`ERR_NOT_FINITE: On rank 1: Expected finite values in points but received NaN in row ${row}.`),
    );
  });

  test('options of one rank', async () => {
    const wrong = (k: number) => (group: Group) => clustered(group, points, { k: group.rank === 2 ? k : 4 });
    expect(await all(3, wrong(-1))).toEqual(
      three('ERR_ARGUMENT: On rank 2: Expected a positive integer for k but received -1.'),
    );
    for (const fault of await all(3, wrong(5))) {
      expect(fault).toMatch(
        /^ERR_DISTRIBUTED: Expected the same options on every rank but .*"k":4.* on rank 0 and .*"k":5.* on rank 2\.$/,
      );
    }
    const starts = (group: Group) => {
      const init = { data: crowded.data.slice(), rows: 6, cols: 5 };
      init.data[7] += group.rank;
      return clustered(group, points, { init });
    };
    for (const fault of await all(3, starts))
      expect(fault).toMatch(/^ERR_DISTRIBUTED: .* on rank 0 and .* on rank 1\.$/);
  });

  test('rows that are no shard', async () => {
    const shifted = (group: Group) => {
      const { begin, end } = shardOf(points.rows, group);
      const rows = end - begin + [1, -1, 0][group.rank];
      return distributedKmeans(group, { data: new Float32Array(rows * 5), rows, cols: 5 }, { k: 2 });
    };
    const fault = 'Expected 329 of all 1003 rows and 5 columns on rank 0 but received 330 and 5.';
    expect(await all(3, shifted)).toEqual(three(`ERR_DISTRIBUTED: ${fault}`));
  });

  test('k, columns of init, ranks without rows', async () => {
    expect(await all(3, (group) => clustered(group, points, { k: 1004 }))).toEqual(
      three('ERR_ARGUMENT: Expected at most 1003 (the rows of all ranks) for k but received 1004.'),
    );
    const init = { data: new Float32Array(4), rows: 1, cols: 4 };
    expect(await all(3, (group) => clustered(group, points, { init }))).toEqual(
      three('ERR_ARGUMENT: Expected 5 for init.cols but received 4.'),
    );
    const two = { data: new Float32Array(2), rows: 2, cols: 1 };
    expect(await all(3, (group) => clustered(group, ownRows(two, { rank: 0, size: 1 }), { k: 1 }))).toEqual(
      three('ERR_ARGUMENT: Expected at most 2 ranks for 2 rows for group.size but received 3.'),
    );
  });
});

test('shards are whole parts, next to each other', () => {
  for (const rows of [1, 63, 64, 1003, 10 ** 9]) {
    for (const size of [1, 2, 3, 64].filter((ranks) => ranks <= Math.min(64, rows))) {
      const all = Array.from({ length: size }, (_, rank) => shardOf(rows, { rank, size }));
      expect(all[0].begin).toBe(0);
      expect(all.at(-1)!.end).toBe(rows);
      for (const [i, { begin, end }] of all.entries()) {
        expect(end).toBeGreaterThan(begin);
        if (i > 0) expect(begin).toBe(all[i - 1].end);
      }
    }
  }
});
