import { loadAddon } from '../src/kernels/load-addon.js';

/** What this machine can do at most with the threads a call may use, measured now (about a second). */
export interface MachineLimits {
  /** Fused multiply-adds from registers. */
  fmaGflops: number;
  /** STREAM's triad. */
  triadGbytes: number;
}

/** Undefined without the addon. */
export function machineLimits(): MachineLimits | undefined {
  return (loadAddon()?.machineLimits as unknown as (() => MachineLimits) | undefined)?.();
}
