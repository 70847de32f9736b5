import { allocate } from '../../kernels/allocate.js';

/** Results shorter than this are left to the garbage collector. */
const SMALLEST = 1024;

/**
 * Arrays of freed tensors, kept for the next result of the same length: a fresh allocation of a feature map costs
 * more in page faults than the kernel that fills it. Only arrays that came from `take` and that nothing outside the
 * backend's own kernels has seen are used again; `expose` takes one out for good.
 */
export class RecycledArrays<T extends Float32Array | Int32Array | Uint8Array> {
  private readonly idle = new Map<number, T[]>();
  private readonly own = new WeakSet<object>();
  private idleBytes = 0;

  constructor(
    private readonly kind: new (length: number) => T,
    private readonly keptBytes: number,
  ) {}

  /** An array with unspecified content. */
  take(length: number): T {
    if (length < SMALLEST) return new this.kind(length);
    const reused = this.idle.get(length)?.pop();
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
    if (same) same.push(values);
    else this.idle.set(values.length, [values]);
  }

  /** Somebody else may hold on to `values` from now on. */
  expose(values: unknown): void {
    if (values instanceof this.kind) this.own.delete(values);
  }

  private clear(): void {
    this.idle.clear();
    this.idleBytes = 0;
  }
}
