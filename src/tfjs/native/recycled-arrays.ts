import { allocate, prepareMemory } from '../../kernels/allocate.js';

/** Results shorter than this are left to the garbage collector. */
const SMALLEST = 1024;
/** Memory of a length that nobody asked for in so many calls of `take` (some passes of a large network) is let go. */
const REMEMBERED = 16384;
const LOOKED_EVERY = 1024;
/** Lengths of memory from one power of two to the next. */
const LENGTHS = 4;
/** Bytes by which memory is longer than what lies in it: arrays begin with a line of the cache. */
const MARGIN = 64;

interface Idle<T> {
  readonly arrays: T[];
  /** The call of `take` that asked for memory of this length last. */
  asked: number;
}

/**
 * Memory of freed tensors, kept for the next results of about the same length: a fresh allocation of a feature map costs
 * more in page faults than the kernel that fills it, and brings the garbage collector. Batches and their parts differ in length from step to
 * step, so an array may lie in memory that is longer, up to twice as long. Only arrays that came from `take` and that nothing outside the
 * backend's own kernels has seen are used again; `expose` takes one out for good. What a pass left that does not come
 * again, such as training's before an evaluation, goes after a while.
 */
export class RecycledArrays<T extends Float32Array | Int32Array | Uint8Array> {
  private readonly idle = new Map<number, Idle<T>>();
  private readonly own = new WeakSet<object>();
  private idleBytes = 0;
  private takes = 0;

  constructor(
    private readonly kind: {
      new (lengthOrMemory: number | ArrayBufferLike, begin?: number, length?: number): T;
      readonly BYTES_PER_ELEMENT: number;
    },
    private readonly keptBytes: number,
  ) {}

  /** An array with unspecified content. */
  take(length: number): T {
    if (length < SMALLEST) return new this.kind(length);
    if (++this.takes % LOOKED_EVERY === 0) this.forget();
    const whole = lengthOfMemory(length);
    const reused = this.reused(whole);
    if (reused?.length === length) return reused;
    const array = reused ? new this.kind(reused.buffer, reused.byteOffset, length) : this.fresh(whole, length);
    this.own.add(array);
    return array;
  }

  /** Takes the array of a freed tensor back. */
  give(values: unknown): void {
    if (!(values instanceof this.kind) || values.length < SMALLEST || !this.own.has(values)) return;
    const bytes = values.buffer.byteLength;
    if (this.idleBytes + bytes > this.keptBytes) this.clear();
    this.idleBytes += bytes;
    const whole = (bytes - MARGIN) / values.BYTES_PER_ELEMENT;
    const same = this.idle.get(whole);
    if (same) same.arrays.push(values);
    else this.idle.set(whole, { arrays: [values], asked: this.takes });
  }

  /** Somebody else may hold on to `values` from now on. */
  expose(values: unknown): void {
    if (values instanceof this.kind) this.own.delete(values);
  }

  /** An array in idle memory of `whole` values, or of the next lengths up to twice as many. */
  private reused(whole: number): T | undefined {
    for (let long = whole; long < 2 * whole; long = lengthOfMemory(long + 1)) {
      const idle = this.idle.get(long);
      if (long === whole && idle) idle.asked = this.takes;
      const reused = idle?.arrays.pop();
      if (!idle || !reused) continue;
      idle.asked = this.takes;
      this.idleBytes -= reused.buffer.byteLength;
      return reused;
    }
    return undefined;
  }

  private fresh(whole: number, length: number): T {
    const { buffer } = allocate(this.kind, whole + MARGIN / this.kind.BYTES_PER_ELEMENT, 'a tensor');
    return new this.kind(buffer, prepareMemory(buffer), length);
  }

  private forget(): void {
    for (const [whole, { arrays, asked }] of this.idle) {
      if (this.takes - asked <= REMEMBERED) continue;
      for (const { buffer } of arrays) this.idleBytes -= buffer.byteLength;
      this.idle.delete(whole);
    }
  }

  private clear(): void {
    this.idle.clear();
    this.idleBytes = 0;
  }
}

/** Values of the memory that an array of this length lies in. */
function lengthOfMemory(length: number): number {
  const step = 2 ** (31 - Math.clz32(length)) / LENGTHS;
  return Math.ceil(length / step) * step;
}
