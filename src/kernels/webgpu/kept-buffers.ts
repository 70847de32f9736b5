/** Buffers that stay beyond the end of a call. */
import type { Matrix } from '../matrix.js';
import { ResidentMatrix } from '../resident-matrix.js';
import type { Gpu } from './run.js';
import type { GpuBuffer, GpuDevice } from './types.js';

/** What uploadMatrix keeps on the device: the rows of a matrix as the first call of their kind has packed them. */
interface Kept {
  device: GpuDevice;
  rows: Map<string, GpuBuffer[]>;
}

const kept = new WeakMap<object, Kept>();

/** The buffers that `make` makes, or made for an earlier call with the same key. Those of a matrix that is not uploaded are the call's. */
export function residentRows(gpu: Gpu, matrix: Matrix, key: string, make: () => GpuBuffer[]): GpuBuffer[] {
  if (!ResidentMatrix.is(matrix) || matrix.device !== 'webgpu' || matrix.disposed) return make();
  let own = kept.get(matrix);
  // What was on a device that is lost is lost.
  if (own?.device !== gpu.device) own = { device: gpu.device, rows: new Map() };
  kept.set(matrix, own);
  const known = own.rows.get(key) ?? make();
  gpu.keep(...known);
  own.rows.set(key, known);
  return known;
}

/** Frees them; calls that use them end first, as the queue goes. */
export function releaseResident(matrix: ResidentMatrix): void {
  for (const buffers of kept.get(matrix)?.rows.values() ?? []) for (const buffer of buffers) buffer.destroy();
  kept.delete(matrix);
}

/**
 * One buffer per device through which calls read, while none does: memory that both the device and the host see is slow to get.
 */
const stagings = new WeakMap<GpuDevice, GpuBuffer>();

/** The kept one, where it is large enough; it is the caller's until he keeps it again. */
export function takeStaging(device: GpuDevice, size: number): GpuBuffer | undefined {
  const kept = stagings.get(device);
  if (!kept || kept.size < size) return undefined;
  stagings.delete(device);
  return kept;
}

/** Keeps the larger of two. */
export function keepStaging(device: GpuDevice, buffer: GpuBuffer): void {
  const kept = stagings.get(device);
  const [larger, other] = !kept || kept.size < buffer.size ? [buffer, kept] : [kept, buffer];
  stagings.set(device, larger);
  other?.destroy();
}
