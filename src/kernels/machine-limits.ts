import { loadAddon } from './load-addon.js';

export interface MachineLimits {
  /** Fused multiply-adds on registers, all threads, 10^9 floating-point operations per second. */
  fmaGflops: number;
  /** a[i] = b[i] + s c[i] over arrays that no cache holds, 10^9 bytes per second. */
  triadGbytes: number;
}

/** What this machine can do at most, measured in about a second; undefined without the addon. */
export function machineLimits(): MachineLimits | undefined {
  const addon = loadAddon() as { machineLimits?(): MachineLimits } | undefined;
  return addon?.machineLimits?.();
}
