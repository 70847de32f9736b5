import { describe, expect, test } from 'vitest';
import { sharingAmong } from '../../src/distributed/sharing-among.js';
import { EatDmlError } from '../../src/errors.js';
import { single } from '../../src/index.js';
import { joined } from '../../src/joined.js';
import { ALONE, type Sharing } from '../../src/sharing.js';
import { faults, ranks, values } from './in-memory.js';

/** On so many ranks; each with the pieces that it did. */
async function on<T>(size: number, share: (sharing: Sharing, done: number[][]) => Promise<T>) {
  return values(
    await ranks(size, async (group) => {
      const done: number[][] = [];
      return { result: await share(sharingAmong(group), done), done };
    }),
  );
}

const squares = (done: number[][]) => async (begin: number, end: number) => {
  done.push([begin, end]);
  return { of: Float64Array.from({ length: end - begin }, (_, i) => (begin + i) ** 2), from: begin };
};

test('a group of one is nobody who shares: all pieces at once, and the very result', async () => {
  expect(sharingAmong(single())).toBe(ALONE);
  const done: number[][] = [];
  const work = squares(done);
  const kept = { of: Float64Array.of(1), from: 0 };
  expect((await ALONE.parts('squares', 5, work))[0].of).toEqual(Float64Array.of(0, 1, 4, 9, 16));
  expect(await ALONE.least('one', 1, async () => kept, Number)).toBe(kept);
  expect(done).toEqual([[0, 5]]);
});

test.each([2, 3, 4])('%i ranks do a part each, in order, and all have all', async (size) => {
  const all = await on(size, (sharing, done) => sharing.parts('squares', 7, squares(done)));
  for (const { result } of all) {
    expect(joined(result.map(({ of }) => of))).toEqual(Float64Array.of(0, 1, 4, 9, 16, 25, 36));
  }
  const done = all.flatMap((rank) => rank.done);
  expect(done).toHaveLength(size);
  expect(done.map(([begin]) => begin)).toEqual([0, ...done.slice(0, -1).map(([, end]) => end)]);
  expect(done.at(-1)![1]).toBe(7);
});

test('a rank for which there is no piece does nothing, and has the result', async () => {
  const all = await on(4, (sharing, done) => sharing.parts('squares', 2, squares(done)));
  expect(all.flatMap(({ done }) => done)).toEqual([
    [0, 1],
    [1, 2],
  ]);
  expect(new Set(all.map(({ result }) => JSON.stringify(result))).size).toBe(1);
  const least = await on(4, (sharing, done) => sharing.least('squares', 2, squares(done), ({ from }) => -from));
  expect(least.map(({ result }) => result.from)).toEqual([1, 1, 1, 1]);
});

test('the least of what parts came to goes to all, at a tie the first', async () => {
  const of = [5, 2, 2, 3];
  const all = await on(4, (sharing) =>
    sharing.least(
      'values',
      4,
      async (begin) => ({ begin, value: of[begin] }),
      ({ value }) => value,
    ),
  );
  expect(all.map(({ result }) => result)).toEqual(of.map(() => ({ begin: 1, value: 2 })));
});

test('results come with their types and bits', async () => {
  const odd = { a: Uint8Array.of(1), b: Float32Array.of(0.1, -0), c: { d: Int32Array.of(-7), e: NaN }, f: [true, 'x'] };
  const [first, last] = await on(2, (sharing) => sharing.parts('odd', 2, async () => odd));
  for (const part of [...first.result, ...last.result]) expect(part).toEqual(odd);
});

describe('what does not fit is one fault on every rank', () => {
  test('of one rank', async () => {
    const all = await ranks(3, (group) =>
      sharingAmong(group).parts('work', 3, async (begin) => {
        if (begin === 1) throw new EatDmlError('ERR_ABORTED', 'The operation was aborted.');
        return begin;
      }),
    );
    expect(faults(all)).toEqual(Array(3).fill('ERR_ABORTED: On rank 1: The operation was aborted.'));
  });

  test('other work, or other pieces', async () => {
    const work = async () => 0;
    const other = await ranks(2, (group) => sharingAmong(group).parts(`k-means ${group.rank}`, 3, work));
    const words = 'ERR_DISTRIBUTED: Expected the same work on every rank but received';
    expect(faults(other)).toEqual(
      Array(2).fill(`${words} k-means 0, 3 pieces on rank 0 and k-means 1, 3 pieces on rank 1.`),
    );
    const more = await ranks(2, (group) => sharingAmong(group).least('x', 1 + group.rank, work, Number));
    expect(faults(more)).toEqual(Array(2).fill(`${words} x, 1 pieces on rank 0 and x, 2 pieces on rank 1.`));
  });
});
