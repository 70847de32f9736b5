/** Memory that both the device and the host see, which is slow to get: a call leaves it for the next. */
import type { GpuBuffer, GpuDevice } from './types.js';

/** One buffer per device through which calls read, while none does. */
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
