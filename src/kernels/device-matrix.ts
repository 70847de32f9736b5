import { EatDmlError } from '../errors.js';
import { resolveDevice } from './devices.js';
import type { Addon } from './load-addon.js';
import { checkFinite, type KernelOptions, type Matrix, readMatrix, readOptions } from './matrix.js';
import { type DeviceMatrix, ResidentMatrix, type Uploaded } from './resident-matrix.js';
import { translate } from './run-kernel.js';
import { copyOf } from './typed-arrays.js';
import { releaseResident } from './webgpu/kept-buffers.js';
import { probeWebgpu } from './webgpu/probe.js';

export type { DeviceMatrix } from './resident-matrix.js';

/** What the CPU addon gives besides: writes the values into an array. */
interface UploadedOnCpu extends Uploaded {
  values(to: Float32Array): void;
}

/**
 * Copies `matrix` once for many calls: to the GPU, or with device `auto` (the default) and no GPU here to memory of the addon's own;
 * calls off the event loop then need no copy of it. `cuda` and `webgpu` throw where there is no GPU; to webgpu the values go with the
 * first call that reads them.
 * @throws EatDmlError ERR_DEVICE without the device or memory on it, ERR_NOT_FINITE naming the first bad row.
 *
 * @example
 * ```ts
 * import { nearestCentroid, uploadMatrix } from 'eat-dml/kernels';
 *
 * const random = (rows: number, cols: number) => ({ data: Float32Array.from({ length: rows * cols }, Math.random), rows, cols });
 * const points = uploadMatrix(random(10_000, 64)); // copied once, for many calls
 * for (let i = 0; i < 3; i++) await nearestCentroid(points, random(10, 64));
 * points.dispose();
 * ```
 */
export function uploadMatrix(matrix: Matrix, options: KernelOptions = {}): DeviceMatrix {
  options = readOptions(options, ['device', 'checkFinite']);
  const read = readMatrix('matrix', matrix);
  const scan = options.checkFinite ?? true;
  if (options.device === 'webgpu') {
    const { failure } = probeWebgpu();
    if (failure !== undefined) throw new EatDmlError('ERR_DEVICE', `Device webgpu is not available: ${failure}`);
    if (scan) checkFinite('matrix', read);
    return residentOnWebgpu(read);
  }
  const addon = resolveDevice(options.device, 'uploadMatrix');
  if (addon && onGpu(addon)) {
    const uploaded = upload<Uploaded>(addon, 'uploadMatrix', { matrix: read, checkFinite: scan });
    return new ResidentMatrix(read, 'cuda', () => read.data, uploaded);
  }
  if (scan) checkFinite('matrix', read);
  return snapshot(read, addon, 'uploadMatrix');
}

/** A copy that nobody else can reach, for the calls of `kernel` with `args`; one that is uploaded already is itself. */
export function ownMatrix(
  matrix: Matrix,
  device: KernelOptions['device'],
  kernel: string,
  args: object,
): ResidentMatrix {
  if (ResidentMatrix.is(matrix)) return matrix;
  if (device === 'webgpu') return residentOnWebgpu(matrix);
  const addon = resolveDevice(device, kernel, args);
  // What does not fit on a GPU goes through it in tiles: the copy stays here.
  return snapshot(matrix, addon && onGpu(addon) ? undefined : addon, kernel);
}

function residentOnWebgpu(matrix: Matrix): ResidentMatrix {
  const copy = copyOf(matrix.data);
  const resident: ResidentMatrix = new ResidentMatrix(matrix, 'webgpu', () => copy, {
    release: () => releaseResident(resident),
  });
  return resident;
}

function snapshot(matrix: Matrix, addon: Addon | undefined, kernel: string): ResidentMatrix {
  if (!addon) {
    const copy = copyOf(matrix.data);
    return new ResidentMatrix(matrix, 'js', () => copy);
  }
  const uploaded = upload<UploadedOnCpu>(addon, kernel, { matrix });
  const size = matrix.data.length;
  return new ResidentMatrix(matrix, 'cpu', () => valuesOf(uploaded, size), uploaded);
}

function upload<T>(addon: Addon, kernel: string, args: { matrix: Matrix; checkFinite?: boolean }): T {
  try {
    return (addon.uploadMatrix as unknown as (args: object) => T)(args);
  } catch (error) {
    throw translate(error, { kernel, inputs: { matrix: args.matrix } });
  }
}

const onGpu = (addon: Addon) => 'deviceLimits' in addon;

function valuesOf(uploaded: UploadedOnCpu, size: number): Float32Array {
  const values = new Float32Array(size);
  uploaded.values(values);
  return values;
}
