import { describe, expect, test } from 'vitest';
import {
  type DistributedNeighborsOptions,
  distributedNeighbors,
  type Group,
  type Matrix,
  type Metric,
  nearestNeighbors,
  single,
} from '../../src/index.js';
import { testDevices } from '../kernels/support.js';
import { faults, ranks, values } from './in-memory.js';
import { blobs, found, ownRows } from './shard.js';

const points = blobs(203, 5, 9);
/** Values of few digits: many distances are equal, and some rows. */
const grid: Matrix = { data: Float32Array.from({ length: 60 * 2 }, (_, i) => (i * 7) % 4), rows: 60, cols: 2 };

describe.each(testDevices.filter((device) => device === 'cpu' || device === 'js'))('on %s', (device) => {
  test.each<[string, Matrix, Matrix, DistributedNeighborsOptions]>([
    ['of other rows', blobs(70, 5, 3), points, { k: 7 }],
    ['of the rows themselves', points, points, { k: 4, excludeSelf: true }],
    ['of equal rows', grid, grid, { k: 20, excludeSelf: true }],
    ['as many as there are', blobs(9, 5, 3), points, { k: 203 }],
    ['all others', grid, grid, { k: 59, excludeSelf: true }],
    ...(['euclidean', 'cosine', 'dot'] as const).map(
      (metric): [Metric, Matrix, Matrix, DistributedNeighborsOptions] => [metric, points, points, { k: 3, metric }],
    ),
  ])('%s: any number of ranks finds what the kernel finds among all rows', async (_, queries, gallery, options) => {
    const alone = await found(single(), queries, gallery, { ...options, device });
    const kernel = await nearestNeighbors(queries, gallery, { ...options, device });
    expect(alone.indices).toEqual(kernel.indices);
    alone.distances.forEach((value, i) => void expect(value).toBeCloseTo(kernel.distances[i], 4));
    for (const size of [2, 3, 7]) {
      const all = values(await ranks(size, (group) => found(group, queries, gallery, { ...options, device })));
      expect(all).toEqual(Array.from({ length: size }, () => alone));
    }
  });
});

test('queries need not be shared out alike: of one rank alone, more than go around at once', async () => {
  const cols = 4096; // 1,024 rows go around at once
  const [many, gallery, k] = [blobs(1100, cols, 4), blobs(40, cols, 7), 3];
  const kernel = await nearestNeighbors(many, gallery, { k });
  const [, last] = values(
    await ranks(2, (group) => {
      const own = group.rank === 1 ? many : { data: many.data.slice(0, cols), rows: 1, cols };
      return distributedNeighbors(group, own, ownRows(gallery, group), { k });
    }),
  );
  expect(last.indices).toEqual(kernel.indices);
});

describe('what does not fit is one fault on every rank', () => {
  const all = async (work: (group: Group) => Promise<unknown>) => faults(await ranks(3, work));
  const three = (text: string) => [text, text, text];
  const search = (group: Group, queries: Matrix, options: DistributedNeighborsOptions) =>
    distributedNeighbors(group, queries, ownRows(points, group), options);
  const few = (cols = 5): Matrix => ({ data: new Float32Array(2 * cols), rows: 2, cols });

  test.each<[string, (group: Group) => Promise<unknown>, string]>([
    [
      'a query of one rank',
      (group) => search(group, { ...few(), data: few().data.fill(group.rank === 2 ? NaN : 0, 7) }, { k: 1 }),
      'ERR_NOT_FINITE: On rank 2: Expected finite values in queries but received NaN in row 1.',
    ],
    [
      'columns of one rank',
      (group) => search(group, few(group.rank === 1 ? 4 : 5), { k: 1 }),
      'ERR_DISTRIBUTED: Expected queries of 5 columns, as the points have, on rank 1 but received 4.',
    ],
    [
      'queries that are not the points',
      (group) => search(group, few(), { k: 1, excludeSelf: true }),
      'ERR_DISTRIBUTED: Expected queries of 66 rows, as the points have, on rank 0 but received 2.',
    ],
    [
      'more neighbours than rows',
      (group) => search(group, few(), { k: 204 }),
      'ERR_ARGUMENT: Expected at most 203 (the neighbours a query can have) for k but received 204.',
    ],
    [
      'the signal of one rank',
      (group) => search(group, few(), { k: 1, ...(group.rank === 1 && { signal: AbortSignal.abort() }) }),
      'ERR_ABORTED: On rank 1: The operation was aborted.',
    ],
  ])('%s', async (_, work, fault) => {
    expect(await all(work)).toEqual(three(fault));
  });

  test('options of one rank', async () => {
    for (const fault of await all((group) => search(group, few(), { k: 1 + group.rank })))
      expect(fault).toMatch(/^ERR_DISTRIBUTED: Expected the same options on every rank but received .*"k":1/);
  });
});
