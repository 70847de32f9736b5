import type { Group, Summable, Values } from '../../src/index.js';

/** What each rank gave to the operations so far, in their order. */
type Given = (Values | undefined)[][];

/** Groups of one process, for what is computed with them: each of `size` runs of `work` is a rank. */
export function ranks<T>(size: number, work: (group: Group) => Promise<T>): Promise<PromiseSettledResult<T>[]> {
  const given: Given = Array.from({ length: size }, () => []);
  return Promise.allSettled(Array.from({ length: size }, (_, rank) => work(groupOf(given, rank))));
}

function groupOf(given: Given, rank: number): Group {
  const allGather = async <T extends Values>(values: T): Promise<T[]> => {
    const at = given[rank].push(values.slice() as T) - 1;
    while (given.some((of) => of.length <= at)) await new Promise((resolve) => setImmediate(resolve));
    return given.map((of) => of[at]!.slice() as T);
  };
  const none = async () => {
    throw new Error('not here');
  };
  return {
    rank,
    size: given.length,
    allGather,
    async allReduce<T extends Summable>(values: T): Promise<T> {
      const [sum, ...others] = await allGather(values);
      for (const other of others) for (let i = 0; i < sum.length; i++) sum[i] += other[i];
      return sum;
    },
    broadcast: async (values, root = 0) => (await allGather(values))[root],
    async barrier() {
      await allGather(new Uint8Array(0));
    },
    split: none,
    finalize: none,
  };
}

/** What each rank came to; throws what one of them threw. */
export const values = <T>(settled: PromiseSettledResult<T>[]): T[] =>
  settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });

/** How each rank ended, in words. */
export const faults = (settled: PromiseSettledResult<unknown>[]): string[] =>
  settled.map((one) => (one.status === 'rejected' ? `${one.reason.code}: ${one.reason.message}` : 'no fault'));
