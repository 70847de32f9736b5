import type { DeviceName, Matrix } from './matrix.js';

/**
 * A matrix uploaded once for many calls: kernels of its device take it as they take any matrix, without copying it again. Its
 * values are those it had when it was uploaded.
 */
export interface DeviceMatrix extends Matrix {
  /** Where its values are: `cuda`, `webgpu` or `cpu`, or `js` where there is no addon. */
  readonly device: DeviceName;
  readonly disposed: boolean;
  /** Frees the memory, after the calls that use it; the matrix must not be used any more. */
  dispose(): void;
}

/** What the addon gives for a matrix: `resident` stands for it in a kernel's arguments. webgpu keeps its own list. */
export interface Uploaded {
  resident?: object;
  release(): void;
}

/** A copy made by spreading has the shape and no values: what stands for them is on the prototype. */
export class ResidentMatrix implements DeviceMatrix {
  readonly rows: number;
  readonly cols: number;
  declare readonly batch?: number;
  readonly #device: DeviceName;
  readonly #uploaded?: Uploaded;
  readonly #values: () => Float32Array;
  #data?: Float32Array;
  #disposed = false;

  /** `values` gives the matrix's data, where they are asked for. */
  constructor(
    { rows, cols, batch }: Omit<Matrix, 'data'>,
    device: DeviceName,
    values: () => Float32Array,
    uploaded?: Uploaded,
  ) {
    this.rows = rows;
    this.cols = cols;
    if (batch !== undefined) this.batch = batch;
    this.#device = device;
    this.#values = values;
    this.#uploaded = uploaded;
    // Its memory has that shape: nobody may say otherwise.
    Object.freeze(this);
  }

  /** True for what uploadMatrix made, not for a look-alike. */
  static is(value: unknown): value is ResidentMatrix {
    return typeof value === 'object' && value !== null && #device in value;
  }

  get data(): Float32Array {
    this.#data ??= this.#values();
    return this.#data;
  }

  get device(): DeviceName {
    return this.#device;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Read by native/addon. */
  get resident(): object | undefined {
    return this.#uploaded?.resident;
  }

  dispose(): void {
    this.#disposed = true;
    this.#uploaded?.release();
  }
}
