import { randomStream } from '../src/random.js';

export type Device = 'js' | 'cpu';

/** One kernel at one size. The Promise forms are measured where users call those, the sync ones where tfjs does. */
export interface Row {
  kernel: string;
  size: 'small' | 'real';
  shape: string;
  run(device: Device): unknown;
  /** The sync form, into memory that is there already where the kernel takes an `out`; where `run` is the Promise form. */
  sync?(device: Device): unknown;
  /** Floating-point operations of one run, where these are its limit. */
  flops?: number;
  /** Bytes one run must move, where these are its limit. */
  bytes?: number;
}

const SIZES = ['small', 'real'] as const;

/** `length` values, uniform in [low, low + 1); the same for the same length. */
export function values(length: number, low = -0.5): Float32Array {
  const { uniform } = randomStream(1, 'bench', length);
  return Float32Array.from({ length }, () => low + uniform());
}

/** A row for the small size and one for the real one. */
export function pair<Shape>(
  kernel: string,
  shapes: [Shape, Shape],
  make: (shape: Shape) => Pick<Row, 'shape' | 'run' | 'sync' | 'flops' | 'bytes'>,
): Row[] {
  return SIZES.map((size, i) => ({ kernel, size, ...make(shapes[i]) }));
}
