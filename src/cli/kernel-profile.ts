import { machineLimits } from '../kernels/machine-limits.js';
import type { KernelProfile } from '../tfjs/index.js';

/** Kernels that take less than this share of the time are one line. */
const SMALLEST_SHARE = 0.005;

/**
 * Where the time of a run on the backend `native` went, a line per kernel: calls, time, share of the run, and for products
 * their rate and its share of what this machine can do at most.
 */
export function kernelProfileLines({ kernels, milliseconds, slowestInherited }: KernelProfile): string[] {
  const peak = machineLimits()?.fmaGflops;
  const row = (name: string, calls: number | undefined, ms: number, flops = 0) => {
    const rate = flops / ms / 1e6;
    const figures = [
      String(calls ?? '').padStart(9),
      (ms / 1000).toFixed(3).padStart(10),
      `${((100 * ms) / milliseconds).toFixed(1)}%`.padStart(8),
      (flops > 0 ? rate.toFixed(1) : '').padStart(9),
      (flops > 0 && peak ? `${((100 * rate) / peak).toFixed(0)}%` : '').padStart(6),
    ];
    return (name.padEnd(38) + figures.join('')).trimEnd();
  };
  const large = kernels.filter((k) => k.milliseconds >= SMALLEST_SHARE * milliseconds);
  const small = kernels.filter((k) => !large.includes(k));
  const sum = (list: typeof kernels, key: 'calls' | 'milliseconds') => list.reduce((total, k) => total + k[key], 0);
  const heading = [
    'calls'.padStart(9),
    's'.padStart(10),
    'time'.padStart(8),
    'GFLOP/s'.padStart(9),
    'peak'.padStart(6),
  ];
  return [
    'kernel'.padEnd(38) + heading.join(''),
    ...large.map((k) => row(`${k.kernel} (${k.path})`, k.calls, k.milliseconds, k.flops)),
    row(`${small.length} smaller ones`, sum(small, 'calls'), sum(small, 'milliseconds')),
    row('outside kernels', undefined, milliseconds - sum(kernels, 'milliseconds')),
    ...(peak ? [`FMA peak of this machine: ${peak.toFixed(0)} GFLOP/s`] : []),
    slowestInherited
      ? `slowest inherited kernel: ${slowestInherited.kernel}, ${(slowestInherited.milliseconds / 1000).toFixed(3)} s`
      : 'no kernel was inherited',
  ];
}
