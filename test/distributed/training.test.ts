import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { single } from '../../src/distributed/index.js';
import { randomStream } from '../../src/random.js';
import { hasCpu } from '../kernels/support.js';
import { LONG } from '../long.js';
import { builtFor, type Ended, findMpis, launch, type Mpi } from './launch.js';
import { evaluatedBits, METHODS, type RunOptions, type TrainedBits, trainedBits } from './training.js';

// Each takes several launches of several processes. What differs between MPIs, mpi.test.ts has.
const mpis = findMpis().slice(0, 1);
const addons = new Map<Mpi, string>();
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-distributed-'));
const KILLS = 3;
const LIMIT_MS = 600_000;
const SHORT = ['at', 'eat-heads', 'eat-mix', 'gal'];
const methods = LONG ? Object.keys(METHODS) : SHORT;

beforeAll(async () => {
  for (const mpi of mpis) addons.set(mpi, await builtFor(mpi));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(mpis.length > 0)('skipped: no mpicc and mpirun on PATH', ({ skip }) => skip());

/** What runs come to alone, by the same shards; without, as they are when nobody speaks of ranks. */
async function alone(runs: readonly RunOptions[]): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const { memberGroups: _, shards, ...run } of runs) {
    all.push(await trainedBits(shards === undefined ? undefined : single(), { ...run, shards }));
  }
  return all;
}

/** The most that a number is off, relatively; of what is shorter than 0.01 by parts of that. */
function apart(values: readonly number[], others: readonly number[]): number {
  return Math.max(...values.map((value, i) => Math.abs(value - others[i]) / Math.max(Math.abs(others[i]), 0.01)));
}

describe.skipIf(!hasCpu).each(mpis)('under $name', (mpi) => {
  const onRanks = (ranks: number, runs: readonly object[]): Promise<Ended> =>
    launch({ mpi, addon: addons.get(mpi)!, ranks, run: 'trains', args: runs.map((run) => JSON.stringify(run)) });
  /** All that each rank told, but that its group is over in the end. */
  const told = ({ told }: Ended) => told.map((lines) => lines.slice(0, -1));
  const fresh = (name: string) => mkdtempSync(join(folder, name));

  test(
    '2 and 4 ranks come to the bits of one by as many shards: loss curve, weights, passes',
    async () => {
      const runs = methods.flatMap((method): RunOptions[] => [
        { method, shards: 4, epochs: 1 },
        ...(method === 'at' ? [{ method, shards: 4, norm: 'frozen' as const }] : []),
      ]);
      const expected = await alone(runs);
      for (const ranks of LONG ? [2, 4] : [4]) {
        const ended = await onRanks(ranks, runs);
        expect({ code: ended.code, told: told(ended) }).toEqual({ code: 0, told: ended.told.map(() => expected) });
      }
    },
    LIMIT_MS,
  );

  test(
    'so do ranks that no shards fit, batches with fewer images than shards, and all that a run may have',
    async () => {
      const runs: RunOptions[] = [
        { method: 'at', shards: 5, epochs: 1 },
        { method: 'eat-none', shards: 7, epochs: 1, batch: { size: 4 } },
        { method: 'trades', shards: 4, batch: { size: 2 }, epochs: 1 },
        { method: 'eat-peers', shards: 3, ema: 0.8, warmUp: 1, clip: { norm: 1 }, validation: true },
      ];
      const expected = await alone(runs);
      const ended = await onRanks(3, runs);
      expect({ code: ended.code, told: told(ended) }).toEqual({ code: 0, told: ended.told.map(() => expected) });
    },
    LIMIT_MS,
  );

  test(
    'members on groups of ranks come to the bits of one, with the statistics of batches, too',
    async () => {
      const some = LONG ? ['eat-mix', 'eat-shared', 'hm', 'dverge'] : ['eat-mix', 'hm'];
      const runs = some.flatMap((method): RunOptions[] => [
        { method, memberGroups: 2, norm: 'batch', epochs: 1 },
        ...(method === 'eat-mix' ? [{ method, memberGroups: 2, validation: true }] : []),
      ]);
      const expected = await alone(runs);
      const two = await onRanks(2, runs);
      expect({ code: two.code, told: told(two) }).toEqual({ code: 0, told: two.told.map(() => expected) });
      const grids = some.map((method): RunOptions => ({ method, memberGroups: 2, shards: 2, epochs: 1 }));
      const wanted = await alone(grids);
      const four = await onRanks(4, grids);
      expect({ code: four.code, told: told(four) }).toEqual({ code: 0, told: four.told.map(() => wanted) });
    },
    LIMIT_MS,
  );

  test(
    'an evaluation by several ranks is that of one, to the bit',
    async () => {
      const { bits: expected, work: whole } = await evaluatedBits(single());
      expect(expected.attacks.length).toBeGreaterThan(2);
      for (const ranks of [2, 4]) {
        const ended = await launch({ mpi, addon: addons.get(mpi)!, ranks, run: 'evaluates' });
        const all = told(ended).flat() as Awaited<ReturnType<typeof evaluatedBits>>[];
        const bits = all.map(({ bits }) => bits);
        expect({ code: ended.code, bits }).toEqual({ code: 0, bits: Array(ranks).fill(expected) });
        // Clustering and search are shared: each rank has its part of them, and together they do what one does.
        for (const of of ['starts', 'queries', 'assigned'] as const) {
          const parts = all.map(({ work }) => work[of]);
          // A sanity check assigns all 28 images on each rank.
          const again = of === 'assigned' ? 28 * (ranks - 1) : 0;
          expect(parts.reduce((sum, part) => sum + part, 0)).toBe(whole[of] + again);
          for (const part of parts) expect(part).toBeLessThan((1.7 * whole[of]) / ranks);
        }
      }
    },
    LIMIT_MS,
  );

  test.each(['kmeans', 'nearestNeighbors', 'nearestCentroid'])(
    'what fails on one rank in its part of an evaluation ends all of them with one error: %s',
    async (kernel) => {
      const ended = await launch({ mpi, addon: addons.get(mpi)!, ranks: 2, run: 'evaluates', args: [kernel] });
      const words = 'ERR_DISTRIBUTED: On rank 1: Error: broken';
      expect({ code: ended.code, told: told(ended) }).toEqual({ code: 0, told: [[words], [words]] });
    },
    LIMIT_MS,
  );

  test(
    'statistics of batches are gathered: losses and weights come within 1e-5 of one rank’s',
    async () => {
      const some = LONG ? ['at', 'eat-mix', 'gal', 'trades'] : ['at', 'gal'];
      const runs = some.map((method): RunOptions => ({ method, norm: 'batch', epochs: 1 }));
      const expected = (await alone(runs)) as TrainedBits[];
      for (const ranks of LONG ? [2, 4] : [2]) {
        const ended = await onRanks(ranks, runs);
        expect(ended.code).toBe(0);
        const [first, ...others] = told(ended) as TrainedBits[][];
        for (const other of others) expect(other).toEqual(first);
        for (const [i, { losses, lengths, passes }] of first.entries()) {
          expect(passes).toEqual(expected[i].passes);
          expect(apart(losses, expected[i].losses)).toBeLessThan(1e-5);
          expect(apart(lengths, expected[i].lengths)).toBeLessThan(1e-5);
        }
      }
    },
    LIMIT_MS,
  );

  test(
    'what ranks cannot agree on or cannot share is one error on each of them',
    async () => {
      const cases: [object, RegExp][] = [
        [
          { differ: { seed: 4 } },
          /^ERR_DISTRIBUTED: Expected the same seed on every rank but received 3 on rank 0 and 4 /,
        ],
        [{ differ: { dataSeed: 8 } }, /^ERR_DISTRIBUTED: Expected the same data on every rank but received "\w+" on/],
        [
          { differ: { epochs: 9 } },
          /^ERR_DISTRIBUTED: Expected the same epochs on every rank but received 2 on rank 0 /,
        ],
        [{ differ: { method: 'trades' } }, /^ERR_DISTRIBUTED: Expected the same method on every rank/],
        [{ differ: { epochs: -1 } }, /^ERR_ARGUMENT: On rank 1: .*epochs/],
        [{ differ: { ema: 0.5 } }, /^ERR_DISTRIBUTED: Expected the same options on every rank/],
        [
          { norm: 'batch', shards: 4 },
          /^ERR_ARGUMENT: On rank 0: Expected a model whose batch normalisation is frozen for 4 shards on 2 ranks, /,
        ],
        [{ norm: 'batch', batch: { size: 1 } }, /^ERR_ARGUMENT: Expected at least 2 images of a member in a batch/],
        [
          { microBatch: 4 },
          /^ERR_ARGUMENT: On rank 0: Expected no microBatch in distributed training but received 4\.$/,
        ],
        [
          { shards: 1 },
          /^ERR_ARGUMENT: On rank 0: Expected at least the 2 ranks .* for distributed.shards but received 1/,
        ],
        [{ memberGroups: 2 }, /^ERR_ARGUMENT: On rank 0: Expected at most the 1 members .* received 2/],
        [
          { method: 'adp', memberGroups: 2 },
          /^ERR_DISTRIBUTED: On rank 0: Expected a method whose members learn without/,
        ],
      ];
      const ended = await onRanks(
        2,
        cases.map(([more]) => ({ method: 'at', ...more })),
      );
      expect(ended.code).toBe(0);
      for (const lines of told(ended)) {
        for (const [i, [, words]] of cases.entries()) expect(lines[i]).toMatch(words);
      }
    },
    LIMIT_MS,
  );

  test(
    'a run that a signal on one rank stops is saved, and goes on with other ranks to the same bits',
    async () => {
      const run = { method: 'eat-one', shards: 4, validation: true, batch: { size: 5 } };
      const [expected] = await alone([run]);
      const dir = fresh('stopped-');
      const stopped = await onRanks(2, [{ ...run, dir, abortAfter: 3 }]);
      expect(told(stopped)).toEqual(stopped.told.map(() => ['ERR_ABORTED: The operation was aborted.']));
      const other = await onRanks(2, [{ ...run, dir, resume: true, shards: 2 }]);
      const words = /^ERR_CHECKPOINT: On rank 0: Expected shards 4, as in the checkpoint .*, but received 2\.$/;
      for (const [refused] of told(other)) expect(refused).toMatch(words);
      const resumed = await onRanks(4, [{ ...run, dir, resume: true }]);
      expect({ code: resumed.code, told: told(resumed) }).toEqual({
        code: 0,
        told: resumed.told.map(() => [expected]),
      });
    },
    LIMIT_MS,
  );

  test.runIf(LONG)(
    `a run of which a rank is killed at any moment ends, and resumed comes to the bits, ${KILLS} times of ${KILLS}`,
    async () => {
      const run = { method: 'eat-shared', shards: 2, epochs: 3, everySteps: 2 };
      const [expected] = await alone([run]);
      const random = randomStream(Date.now() % 1e6, 'kills');
      for (let i = 0; i < KILLS; i++) {
        const dir = fresh('killed-');
        // Of 9 steps; from the second on there is a checkpoint.
        const killAfter = { step: 3 + random.integer(5), ms: random.integer(60) };
        const killed = await onRanks(2, [{ ...run, dir, killAfter }]);
        expect(killed.code).not.toBe(0);
        const resumed = await onRanks(2, [{ ...run, dir, resume: true }]);
        expect({ code: resumed.code, told: told(resumed) }).toEqual({
          code: 0,
          told: resumed.told.map(() => [expected]),
        });
      }
    },
    LIMIT_MS,
  );
});

test.skipIf(!hasCpu)('a group of one comes to the bits and passes of none', async () => {
  const [plain] = await alone([{ method: 'eat-shared', norm: 'batch', epochs: 1 }]);
  expect(await trainedBits(single(), { method: 'eat-shared', norm: 'batch', epochs: 1 })).toEqual(plain);
});
