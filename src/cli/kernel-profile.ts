import { machineLimits } from '../kernels/machine-limits.js';
import type { KernelProfile, KernelTime, LayerTime } from '../tfjs/index.js';

/** Kernels that take less than this share of the time are one line. */
const SMALLEST_SHARE = 0.005;

/** So many layers are listed. */
const LAYERS = 20;

/** Characters of shapes: an optimiser's step has hundreds of tensors. */
const LONGEST = 120;

/**
 * Where the time of a run on the backend `native` went, a line per kernel, then a line per layer that took longest (a kernel and the
 * shapes of its tensors): calls, time, share of the run, for products their rate and its share of what this machine can do at
 * most, for layers the bytes of their tensors by time.
 */
export function kernelProfileLines({ kernels, layers, milliseconds, slowestInherited }: KernelProfile): string[] {
  const peak = machineLimits()?.fmaGflops;
  const figures = figuresOf(milliseconds, peak);
  const large = kernels.filter((k) => k.milliseconds >= SMALLEST_SHARE * milliseconds);
  const small = kernels.filter((k) => !large.includes(k));
  const sum = (list: typeof kernels, key: 'calls' | 'milliseconds') => list.reduce((total, k) => total + k[key], 0);
  const rest = { calls: sum(small, 'calls'), milliseconds: sum(small, 'milliseconds') };
  return [
    'kernel'.padEnd(38) + HEADING,
    ...large.map((k) => `${k.kernel} (${k.path})`.padEnd(38) + figures(k)),
    `${small.length} smaller ones`.padEnd(38) + figures(rest),
    'outside kernels'.padEnd(38) + figures({ milliseconds: milliseconds - sum(kernels, 'milliseconds') }),
    ...(peak ? [`FMA peak of this machine: ${peak.toFixed(0)} GFLOP/s`] : []),
    slowestInherited
      ? `slowest inherited kernel: ${slowestInherited.kernel}, ${(slowestInherited.milliseconds / 1000).toFixed(3)} s`
      : 'no kernel was inherited',
    '',
    `${HEADING}${'GB/s'.padStart(7)}  kernel and shapes, the ${Math.min(LAYERS, layers.length)} longest of ${layers.length}`,
    ...layers.slice(0, LAYERS).map((layer) => layerLine(layer, figures(layer))),
  ];
}

const HEADING = `${'calls'.padStart(9)}${'s'.padStart(10)}${'time'.padStart(8)}${'GFLOP/s'.padStart(9)}${'peak'.padStart(6)}`;

type Figures = Partial<KernelTime> & { milliseconds: number };

function figuresOf(all: number, peak: number | undefined) {
  return ({ calls, milliseconds, flops = 0 }: Figures) => {
    const rate = flops / milliseconds / 1e6;
    const cells = [
      String(calls ?? '').padStart(9),
      (milliseconds / 1000).toFixed(3).padStart(10),
      `${((100 * milliseconds) / all).toFixed(1)}%`.padStart(8),
      (flops > 0 ? rate.toFixed(1) : '').padStart(9),
      (flops > 0 && peak ? `${((100 * rate) / peak).toFixed(0)}%` : '').padStart(6),
    ];
    return cells.join('');
  };
}

function layerLine({ kernel, path, shapes, bytes, milliseconds }: LayerTime, figures: string): string {
  const rate = (bytes / milliseconds / 1e6).toFixed(1).padStart(7);
  const short = shapes.length > LONGEST ? `${shapes.slice(0, LONGEST)}...` : shapes;
  return `${figures}${rate}  ${kernel}${path === 'native' ? '' : ` (${path})`} ${short}`;
}
