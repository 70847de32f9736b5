import { EatDmlError, invalid } from '../errors.js';
import { checkAttached, checkOneOf } from '../kernels/matrix.js';
import { isTypedArray, viewOf } from '../kernels/typed-arrays.js';

/** What ranks can add up. */
export type Summable = Float32Array | Float64Array | Int32Array;
/** What ranks can send one another. */
export type Values = Summable | Uint8Array;

/** Options of `allReduce` of a {@link Group}. */
export interface AllReduceOptions {
  /**
   * `rank` (default): element by element rank 0's value, plus rank 1's, plus rank 2's, ...: the same bits on every rank and in every run.
   * `tree`: the sum of the left half of the ranks plus that of the right, the left one being the largest power of two that leaves
   * something; same bits everywhere, too. `any`: in the order that MPI finds best, which may differ from one number of ranks, MPI or
   * message size to another.
   */
  order?: 'rank' | 'tree' | 'any';
}

/** Options of the forms of a {@link SyncGroup} that wait. */
export interface IntoOptions<T extends Values> {
  /**
   * Where the result goes, of its type and length, instead of a new array: large new ones cost time in the garbage collector. It may be
   * `values` itself. Not to be touched before the result is there.
   */
  into?: T;
}

/**
 * Processes that work together, in the words of MLX. Every rank calls the same operations of a group in the same order, none of them has
 * to await one before it calls the next: they are done one after the other, off the event loop. What an operation is given is its own from
 * the moment it returns. An operation that differs between ranks is rejected on all of them with ERR_DISTRIBUTED, in words that say who
 * called what.
 */
export interface Group {
  /** Of this process, from 0. */
  readonly rank: number;
  /** Number of ranks. */
  readonly size: number;
  /**
   * The sum over ranks, element by element; integers wrap around. Arrays have one type and one length on all ranks. Alone it is `values`
   * itself, else a new array.
   */
  allReduce<T extends Summable>(values: T, options?: AllReduceOptions): Promise<T>;
  /**
   * The arrays of all ranks, in the order of ranks. They have one type, and each its own length; in a group of several they lie one
   * after the other in one new buffer.
   */
  allGather<T extends Values>(values: T): Promise<T[]>;
  /** The array of rank `root` (default 0), for every rank; all of them give an array of its type and length. */
  broadcast<T extends Values>(values: T, root?: number): Promise<T>;
  /** Resolves when every rank has called it. */
  barrier(): Promise<void>;
  /**
   * The group of those ranks that give the same `color`, a non-negative integer, in the order of `key` (default: of their ranks here).
   */
  split(color: number, key?: number): Promise<Group>;
  /**
   * Ends the work together; every rank calls it on the group that `initDistributed` gave, as its last operation. A rank that ends without
   * it ends the whole job with a code other than 0.
   */
  finalize(): Promise<void>;
}

/**
 * A group whose operations there are in a form that waits, too, for work that no other can come between, such as the gradient of a tape.
 * They are of the one order of all operations, and block the event loop meanwhile. Errors are thrown, with the same words.
 */
export interface SyncGroup extends Group {
  /** {@link Group.allReduce}, waited for. */
  allReduceNow<T extends Summable>(values: T, options?: AllReduceOptions & IntoOptions<T>): T;
  /** {@link Group.allReduce}, begun: what it gives waits for the sum. The values may change once it is begun. */
  startAllReduce<T extends Summable>(values: T, options?: AllReduceOptions & IntoOptions<T>): () => T;
  /** {@link Group.allGather}, waited for; `into` is as long as all arrays together, which lie there one after the other. */
  allGatherNow<T extends Values>(values: T, options?: IntoOptions<T>): T[];
  split(color: number, key?: number): Promise<SyncGroup>;
}

/** Throws unless it can wait, too. */
export function checkSyncGroup(group: unknown): asserts group is SyncGroup {
  checkGroup(group);
  if (typeof (group as Partial<SyncGroup>).allGatherNow !== 'function')
    throw invalid('group', 'a group of initDistributed or single', group);
}

/** Throws unless it says which of how many ranks this is. */
export function checkPlace(group: unknown): asserts group is Pick<Group, 'rank' | 'size'> {
  const { rank, size } = (group ?? {}) as Partial<Group>;
  const fits = Number.isSafeInteger(rank) && Number.isSafeInteger(size) && rank! >= 0 && rank! < size!;
  if (!fits) throw invalid('group', 'a group of initDistributed or single', group);
}

/** Throws unless it can gather, too. */
export function checkGroup(group: unknown): asserts group is Group {
  checkPlace(group);
  if (typeof (group as Partial<Group>).allGather !== 'function')
    throw invalid('group', 'a group of initDistributed or single', group);
}

/** A plain view of what a caller gives; throws where ranks cannot send it. */
export function checkValues<T extends Values>(values: T): T {
  if (!isTypedArray(values)) throw invalid('values', 'a Float32Array, Float64Array, Int32Array or Uint8Array', values);
  checkAttached('values', values);
  return viewOf(values);
}

export function checkSummable<T extends Summable>(values: T): T {
  const isBytes = isTypedArray(values) && values instanceof Uint8Array;
  if (isBytes || !isTypedArray(values)) throw invalid('values', 'a Float32Array, Float64Array or Int32Array', values);
  return checkValues(values);
}

export function checkOrder(options: AllReduceOptions = {}): NonNullable<AllReduceOptions['order']> {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options);
  const { order = 'rank' } = options;
  checkOneOf('order', order, ['rank', 'tree', 'any']);
  return order;
}

/** Where the result goes, if it is said: an array of the type of `values`, and of `length` where that is known. */
export function checkInto<T extends Values>({ into }: IntoOptions<T> = {}, values: T, length?: number): T | undefined {
  if (into === undefined) return undefined;
  const { name } = values.constructor;
  if (!isTypedArray(into) || into.constructor.name !== name)
    throw invalid('into', `a ${name} (the type of values)`, into);
  checkAttached('into', into);
  if (length !== undefined && into.length !== length) throw invalid('into', `an array of ${length} values`, into);
  return viewOf(into);
}

/** Throws unless `value` is an integer in [0, end). */
export function checkIn(name: string, value: unknown, end: number): asserts value is number {
  const fits = Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < end;
  if (!fits) throw invalid(name, `an integer in [0, ${end})`, value);
}

export function distributedError(message: string, hint: string, cause?: unknown): EatDmlError {
  return new EatDmlError('ERR_DISTRIBUTED', message, { hint, cause });
}
