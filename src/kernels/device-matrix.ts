import { resolveDevice } from './devices.js';
import type { AddonKernel } from './load-addon.js';
import { checkOptions, type DeviceName, type KernelOptions, type Matrix, readMatrix } from './matrix.js';
import { translate } from './run-kernel.js';

/**
 * A matrix that stays on the GPU: kernels on device cuda take it as they take any matrix, without copying it there again. On the
 * other devices it is the matrix it was made from, whose `data` must not change meanwhile.
 */
export interface DeviceMatrix extends Matrix {
  /** Where its values are: `cuda`, or where `auto` found no GPU the device that it found. */
  readonly device: DeviceName;
  readonly disposed: boolean;
  /** Frees the device's memory, after the calls that use it; the matrix must not be used any more. */
  dispose(): void;
}

/** What the addon gives for a matrix: `resident` stands for it in a kernel's arguments. */
interface Uploaded {
  resident: object;
  release(): void;
}

/** A copy made by spreading has the values only: what stands for device memory is on the prototype. */
class ResidentMatrix implements DeviceMatrix {
  readonly data: Float32Array;
  readonly rows: number;
  readonly cols: number;
  declare readonly batch?: number;
  readonly #device: DeviceName;
  readonly #uploaded?: Uploaded;
  #disposed = false;

  constructor({ data, rows, cols, batch }: Matrix, device: DeviceName, uploaded?: Uploaded) {
    this.data = data;
    this.rows = rows;
    this.cols = cols;
    if (batch !== undefined) this.batch = batch;
    this.#device = device;
    this.#uploaded = uploaded;
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

/**
 * Copies `matrix` to the GPU, once for many calls. With device `auto` (the default) and no GPU here nothing is copied; `cuda`
 * throws then.
 * @throws EatDmlError ERR_DEVICE without the device or memory on it, ERR_NOT_FINITE naming the first bad row.
 */
export function uploadMatrix(matrix: Matrix, options: KernelOptions = {}): DeviceMatrix {
  checkOptions(options, ['device', 'checkFinite']);
  const read = readMatrix('matrix', matrix);
  const addon = resolveDevice(options.device, 'uploadMatrix');
  if (!addon) return new ResidentMatrix(read, 'js');
  if (!('uploadMatrix' in addon)) return new ResidentMatrix(read, 'cpu');
  try {
    const upload = addon.uploadMatrix as AddonKernel as unknown as (args: object) => Uploaded;
    return new ResidentMatrix(read, 'cuda', upload({ matrix: read, checkFinite: options.checkFinite ?? true }));
  } catch (error) {
    throw translate(error, { kernel: 'uploadMatrix', inputs: { matrix: read } });
  }
}
