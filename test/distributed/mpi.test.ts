import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { single } from '../../src/distributed/index.js';
import { randomStream } from '../../src/random.js';
import { hasCpu } from '../kernels/support.js';
import { LONG } from '../long.js';
import { builtFor, findMpis, type Job, launch, type Mpi } from './launch.js';
import { bitsOf, blobs, clustered, found, hashOf } from './shard.js';

// In the short form one MPI does; the test of another's launcher takes both.
const mpis = findMpis();
const tested = mpis.slice(0, LONG ? 2 : 1);
const addons = new Map<Mpi, string>();
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-mpi-'));
const ROUNDS = LONG ? 300 : 20;
/** Thirty in all. */
const MOMENTS = 30 / tested.length;

beforeAll(async () => {
  for (const mpi of mpis) addons.set(mpi, await builtFor(mpi));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(mpis.length > 0)(
  'skipped: no mpicc and mpirun on PATH (Debian: libopenmpi-dev, or mpich and libmpich-dev)',
  ({ skip }) => skip(),
);

describe.each(tested)('under $name', (mpi) => {
  const run = (name: string, ranks: number, more: Partial<Job> = {}) =>
    launch({ mpi, addon: addons.get(mpi)!, ranks, run: name, ...more });
  const over = 'ERR_DISTRIBUTED: Expected a group of this thread that is not finalized.';

  test.each([2, 4])('%i ranks add in rank order to the bit, gather, broadcast and split', async (ranks) => {
    const { code, told, stderr } = await run('operations', ranks);
    expect(code).toBe(0);
    expect(stderr).not.toContain('eat-dml');
    const all = Array.from({ length: ranks }, (_, r) => r);
    for (const [
      rank,
      [wrong, gathered, roots, part, refused, pinned, into, waited, begun, late, end],
    ] of told.entries()) {
      expect(wrong).toEqual([]);
      const floats = all.map((r) => all.slice(0, r).map((i) => r + i / 8));
      expect(gathered).toEqual([floats, all.map((r) => Math.max(0, 3 - r)), all.map(() => 0)]);
      expect(roots).toEqual(all.map((r) => r + 100));
      const own = all.filter((r) => r % 2 === rank % 2).reverse();
      const sum = all.reduce((a, b) => a + b);
      expect(part).toEqual({ rank: own.indexOf(rank), size: own.length, own, all: [sum] });
      expect(refused).toMatch(/^ERR_DISTRIBUTED: .* a part of it/);
      expect(pinned).toEqual([true, true, true]);
      const long = `Expected into of ${(ranks * (ranks - 1)) / 2} values, as the result has, but received 1000.`;
      expect(into).toEqual([true, `ERR_DISTRIBUTED: ${long}`]);
      expect(waited).toEqual([floats, all.reduce((a, r) => a + 1000 + r, 0), true]);
      expect([begun, late]).toEqual([true, true]);
      expect(end).toBe(over);
    }
  });

  test.each(LONG ? [2, 4] : [2])(
    '%i ranks with 100 operations in flight, round after round',
    async (ranks) => {
      const { code, told } = await run('flight', ranks, { args: [String(ranks === 2 ? ROUNDS : ROUNDS / 10)] });
      expect({ code, told }).toEqual({ code: 0, told: told.map(() => [0, over]) });
    },
    600_000,
  );

  test.skipIf(!hasCpu).each([2, 4])('%i ranks cluster their shards to the bits of one', async (ranks) => {
    const { code, told } = await run('clusters', ranks);
    const alone: string[] = [];
    for (const device of ['cpu', 'js'] as const) {
      alone.push(bitsOf(await clustered(single(), blobs(1003, 5, 9), { k: 9, seed: 3, device })));
    }
    expect({ code, told }).toEqual({ code: 0, told: told.map(() => [...alone, over]) });
  });

  test.each([2, 4])('%i ranks find the neighbours that one finds', async (ranks) => {
    const { code, told } = await run('neighbors', ranks);
    const points = blobs(203, 5, 9);
    const { indices, distances } = await found(single(), points, points, { k: 4, excludeSelf: true });
    expect({ code, told }).toEqual({ code: 0, told: told.map(() => [hashOf(indices, distances), over]) });
    expect(told).toHaveLength(ranks);
  });

  test('calls that differ are named on every rank, and the next ones go on', async () => {
    const { code, told } = await run('mismatches', 4);
    expect(code).toBe(0);
    for (const lines of told) {
      expect(lines.filter((_, i) => i % 2 === 1)).toEqual(Array.from({ length: 9 }, () => [4]));
      const texts = lines.filter((_, i) => i % 2 === 0).slice(0, -1);
      const between = (a: string, b: string) => expect.stringContaining(`rank 0: ${a}; ranks 1, 2, 3: ${b}.`);
      expect(texts).toEqual([
        between('allReduce of 2 float32 values', 'barrier'),
        between('allReduce of 2 float32 values', 'allReduce of 3 float32 values'),
        between('allReduce of 2 float32 values', 'allReduce of 2 int32 values'),
        between('allReduce of 2 float32 values', 'allReduce of 2 float32 values in any order'),
        between('broadcast of 2 float32 values from rank 0', 'broadcast of 2 float32 values from rank 1'),
        between('finalize', 'barrier'),
        between('allReduce of 2 float32 values', 'allReduce of 2 float32 values as a tree'),
        between('allGather of 2 float32 values', 'allReduce of 2 float32 values'),
        between('allReduce of 2 float32 values', 'allReduce of 3 float32 values'),
      ]);
      expect(texts[0]).toMatch(
        /^ERR_DISTRIBUTED: Expected the same operation on every rank but received, as operation 1 /,
      );
    }
  });

  test.each(['exit', 'end', 'kill', ...(LONG ? ['throw'] : [])])(
    'a rank that goes by %s ends the job within 5 s, not with 0',
    async (way) => {
      const { code, told, at, stderr } = await run('goes', 3, { args: [way, join(folder, way)] });
      expect(code).not.toBe(0);
      expect(at - Number(readFileSync(join(folder, way), 'utf8'))).toBeLessThan(5000);
      expect(told).toEqual([[], [], []]);
      if (way !== 'kill')
        expect(stderr).toContain('eat-dml: rank 2 of 3 ends without finalize() of its group; the job is aborted');
    },
  );

  test.skipIf(!LONG)(
    `a rank killed at any of ${MOMENTS} moments, in the midst of sums, ends the job within 5 s`,
    async () => {
      const random = randomStream(6, 'moments', mpi.name);
      for (let i = 0; i < MOMENTS; i++) {
        const [rank, after] = [i % 2, random.integer(300)];
        const { code, at } = await run('killed', 2, { args: [String(rank), String(after), join(folder, 'killed')] });
        expect(code).not.toBe(0);
        expect(at - Number(readFileSync(join(folder, 'killed'), 'utf8'))).toBeLessThan(5000);
      }
    },
    600_000,
  );

  test('who is waited for is named, by whom and in what', async () => {
    const { code, stderr } = await run('late', 3, { env: { EAT_DML_MPI_STALL_SECONDS: '1' } });
    expect(code).toBe(0);
    expect(stderr).toContain('eat-dml: rank 0 of 3 has waited 1 s for rank 2 in barrier (operation 1 of its group)');
    expect(stderr).toContain('eat-dml: rank 0 of 3 has waited 2 s for rank 2 in barrier');
    expect(stderr).toContain('eat-dml: rank 1 of 3 has waited 1 s for rank 0, or whom it waits for, in barrier');
  });

  test('a thread of JavaScript may end once it has finalized, and ends the job where it has not', async () => {
    // A worker cannot set it for UCX.
    const env = { UCX_MEM_EVENTS: 'n' };
    const kept = await run('inWorker', 2, { args: ['finalize'], env });
    const once = 'ERR_DISTRIBUTED: Expected MPI to be begun once in a process, but it was begun before.';
    expect({ code: kept.code, told: kept.told }).toEqual({
      code: 0,
      told: [
        [0, once],
        [0, once],
      ],
    });
    const gone = await run('inWorker', 2, { args: ['leave'], env });
    expect(gone.code).not.toBe(0);
    expect(gone.stderr).toMatch(/rank [01] of 2 ends without finalize/);
  });

  test('a thread of JavaScript that is told to end while it waits does so, which ends the job', async () => {
    const moment = join(folder, 'waits');
    const { code, at, stderr } = await run('endsWaiting', 3, { args: [moment], env: { UCX_MEM_EVENTS: 'n' } });
    expect(code).not.toBe(0);
    expect(at - Number(readFileSync(moment, 'utf8'))).toBeLessThan(5000);
    expect(stderr).toMatch(/rank [012] of 3 ends without finalize/);
  });

  test('an addon of another MPI than the launcher refuses', async ({ skip }) => {
    const other = mpis.find((one) => one !== mpi);
    if (!other) return skip('there is one MPI here');
    const { told } = await run('goes', 2, { addon: addons.get(other)! });
    for (const [refused] of told) {
      expect(refused).toMatch(
        /^ERR_DISTRIBUTED: Expected 2 ranks, as mpirun of .+ says in \w+, but .+ finds 1: the launcher belongs to another MPI\.$/,
      );
    }
  });
});
