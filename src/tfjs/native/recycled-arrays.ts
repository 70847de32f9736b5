import { allocate } from '../../kernels/allocate.js';

/** Results shorter than this are left to the garbage collector. */
const SMALLEST = 1024;
/** Arrays of a length that nobody asked for in so many calls of `take` (some passes of a large network) are let go. */
const REMEMBERED = 16384;
const LOOKED_EVERY = 1024;

interface Idle<T> {
  readonly arrays: T[];
  /** The call of `take` that asked for this length last. */
  asked: number;
}

/**
 * Arrays of freed tensors, kept for the next result of the same length: a fresh allocation of a feature map costs
 * more in page faults than the kernel that fills it. Only arrays that came from `take` and that nothing outside the
 * backend's own kernels has seen are used again; `expose` takes one out for good. What a pass left that does not come
 * again, such as training's before an evaluation, goes after a while.
 */
export class RecycledArrays<T extends Float32Array | Int32Array | Uint8Array> {
  private readonly idle = new Map<number, Idle<T>>();
  private readonly own = new WeakSet<object>();
  private idleBytes = 0;
  private takes = 0;

  constructor(
    private readonly kind: new (length: number) => T,
    private readonly keptBytes: number,
  ) {}

  /** An array with unspecified content. */
  take(length: number): T {
    if (length < SMALLEST) return new this.kind(length);
    if (++this.takes % LOOKED_EVERY === 0) this.forget();
    const idle = this.idle.get(length);
    if (idle) idle.asked = this.takes;
    const reused = idle?.arrays.pop();
    if (reused) {
      this.idleBytes -= reused.byteLength;
      return reused;
    }
    const fresh = allocate(this.kind, length, 'a tensor');
    this.own.add(fresh);
    return fresh;
  }

  /** Takes the array of a freed tensor back. */
  give(values: unknown): void {
    if (!(values instanceof this.kind) || values.length < SMALLEST || !this.own.has(values)) return;
    if (this.idleBytes + values.byteLength > this.keptBytes) this.clear();
    this.idleBytes += values.byteLength;
    const same = this.idle.get(values.length);
    if (same) same.arrays.push(values);
    else this.idle.set(values.length, { arrays: [values], asked: this.takes });
  }

  /** Somebody else may hold on to `values` from now on. */
  expose(values: unknown): void {
    if (values instanceof this.kind) this.own.delete(values);
  }

  private forget(): void {
    for (const [length, { arrays, asked }] of this.idle) {
      if (this.takes - asked <= REMEMBERED) continue;
      for (const { byteLength } of arrays) this.idleBytes -= byteLength;
      this.idle.delete(length);
    }
  }

  private clear(): void {
    this.idle.clear();
    this.idleBytes = 0;
  }
}
