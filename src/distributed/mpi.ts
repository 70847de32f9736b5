import { EatDmlError } from '../errors.js';
import type { MpiAddon, MpiResult } from '../kernels/load-addon.js';
import {
  type AllReduceOptions,
  checkIn,
  checkInto,
  checkOrder,
  checkSummable,
  checkValues,
  distributedError,
  type IntoOptions,
  type Summable,
  type SyncGroup,
  type Values,
} from './group.js';
import type { Launch } from './launcher.js';
import { INTEGERS_END } from './single.js';

/** Begins MPI, once in a process, and gives the group of all ranks. */
export async function beginMpi(addon: MpiAddon, launch: Launch, stallSeconds: number): Promise<SyncGroup> {
  const begun = performance.now();
  const told = setInterval(() => {
    const seconds = Math.round((performance.now() - begun) / 1000);
    process.stderr.write(`eat-dml: MPI_Init has waited ${seconds} s for all ${launch.size} ranks to start\n`);
  }, stallSeconds * 1000);
  try {
    return new MpiGroup(addon, await inWords(() => addon.begin({ ...launch, stallSeconds })));
  } finally {
    clearInterval(told);
  }
}

/** A group by MPI: native/mpi does its operations one after the other on a thread of their own. */
class MpiGroup implements SyncGroup {
  readonly rank: number;
  readonly size: number;
  readonly #addon: MpiAddon;
  readonly #group: number;

  constructor(addon: MpiAddon, { group, rank, size }: MpiResult) {
    this.#addon = addon;
    this.#group = group;
    this.rank = rank;
    this.size = size;
  }

  async allReduce<T extends Summable>(values: T, options?: AllReduceOptions): Promise<T> {
    const argument = ORDERS[checkOrder(options)];
    const own = checkSummable(values);
    const { buffer } = await this.#run('allReduce', { values: own, argument });
    return arrayOver(own, buffer, 0, buffer.byteLength);
  }

  allReduceNow<T extends Summable>(values: T, options?: AllReduceOptions & IntoOptions<T>): T {
    const argument = ORDERS[checkOrder(options)];
    const own = checkSummable(values);
    const into = checkInto(options, own, own.length);
    return sumIn(own, this.#runNow('allReduce', { values: own, argument, into }), options?.into);
  }

  startAllReduce<T extends Summable>(values: T, options?: AllReduceOptions & IntoOptions<T>): () => T {
    const argument = ORDERS[checkOrder(options)];
    const own = checkSummable(values);
    const into = checkInto(options, own, own.length);
    const wait = inWordsNow(() =>
      this.#addon.start({ operation: 'allReduce', group: this.#group, values: own, argument }),
    );
    // The addon gives it once.
    let sum: T | undefined;
    return () => {
      sum ??= sumIn(
        own,
        inWordsNow(() => wait(into)),
        options?.into,
      );
      return sum;
    };
  }

  async allGather<T extends Values>(values: T): Promise<T[]> {
    const own = checkValues(values);
    return arraysIn(own, await this.#run('allGather', { values: own }));
  }

  allGatherNow<T extends Values>(values: T, options?: IntoOptions<T>): T[] {
    const own = checkValues(values);
    const into = checkInto(options, own);
    const { buffer, counts } = this.#runNow('allGather', { values: own, into });
    return into ? partsOf(into, counts) : arraysIn(own, { buffer, counts });
  }

  async broadcast<T extends Values>(values: T, root = 0): Promise<T> {
    checkIn('root', root, this.size);
    const own = checkValues(values);
    const { buffer } = await this.#run('broadcast', { values: own, argument: root });
    return arrayOver(own, buffer, 0, buffer.byteLength);
  }

  async barrier(): Promise<void> {
    await this.#run('barrier');
  }

  async split(color: number, key = this.rank): Promise<SyncGroup> {
    checkIn('color', color, INTEGERS_END);
    checkIn('key', key, INTEGERS_END);
    return new MpiGroup(this.#addon, await this.#run('split', { color, key }));
  }

  async finalize(): Promise<void> {
    if (this.#group !== 0) {
      const hint = 'Finalize the group that initDistributed gave; those that were split off end with it.';
      throw distributedError('Expected the group of all ranks to be finalized but received a part of it.', hint);
    }
    await this.#run('finalize');
  }

  #run(operation: string, more: object = {}): Promise<MpiResult> {
    return inWords(() => this.#addon.run({ operation, group: this.#group, ...more }));
  }

  #runNow(operation: string, more: object): MpiResult {
    return inWordsNow(() => this.#addon.runNow({ operation, group: this.#group, ...more }));
  }
}

/** As native/mpi/operation.h numbers them. */
const ORDERS = { rank: 0, any: 1, tree: 2 };

/** What was gathered, by rank. */
function arraysIn<T extends Values>(like: T, { buffer, counts }: Pick<MpiResult, 'buffer' | 'counts'>): T[] {
  return partsOf(arrayOver(like, buffer, 0, buffer.byteLength), counts);
}

function partsOf<T extends Values>(all: T, counts: readonly number[]): T[] {
  let end = 0;
  return counts.map((count) => {
    const begin = end;
    end += count;
    return all.subarray(begin, end) as T;
  });
}

function sumIn<T extends Summable>(like: T, { buffer }: MpiResult, into?: T): T {
  return into ?? arrayOver(like, buffer, 0, buffer.byteLength);
}

function arrayOver<T extends Values>(like: T, buffer: ArrayBuffer, begin: number, end: number): T {
  const Type = like.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => T;
  return new Type(buffer, begin, (end - begin) / like.BYTES_PER_ELEMENT);
}

const HINTS: Record<string, string> = {
  mismatch: 'Every rank has to call the same operations of a group, in the same order.',
  world:
    'Start the ranks by the mpirun of that MPI, or build the addon against the launcher’s: EAT_DML_MPICC names its mpicc.',
  state: 'MPI is begun once in a process, by one thread, and ends with finalize().',
  limit: 'Send it in parts.',
  into: 'Give an array of the type and length of the result, and leave its memory alone until the result is there.',
  mpi: 'The other ranks may be gone; start the job again.',
};

async function inWords<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw worded(cause);
  }
}

function inWordsNow<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw worded(cause);
  }
}

/** The addon's errors as this package's. */
function worded(cause: unknown): EatDmlError {
  const { kind = '', message } = cause as Error & { kind?: string };
  if (kind === 'memory') return new EatDmlError('ERR_DEVICE', message, { cause });
  return distributedError(message, HINTS[kind] ?? HINTS.mpi, cause);
}
