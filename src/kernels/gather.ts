import { allocate } from './allocate.js';
import { checkIndices, checkInt32Length } from './integers.js';
import {
  type AsyncKernelOptions,
  checkCount,
  checkFloat32Length,
  KERNEL_OPTIONS,
  type KernelOptions,
  readOptions,
  unshared,
} from './matrix.js';
import { type GatherArgs, gatherReference } from './reference/gather.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

export interface GatherOptions extends KernelOptions {
  /** [batch, outer, size, inner] */
  x: Float32Array;
  /** [batch, count], each in [0, size) */
  indices: Int32Array;
  /** Default 1. */
  batch?: number;
  /** Default 1. */
  outer?: number;
  size: number;
  /** Default 1. */
  inner?: number;
  count: number;
  /** [batch, outer, count, inner] */
  out?: Float32Array;
}

/**
 * out[b,o,j,i] = x[b,o,indices[b,j],i].
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit, such as an index that is out of range.
 */
export async function gather(options: GatherOptions & AsyncKernelOptions): Promise<Float32Array> {
  return runAsync(prepare(options));
}

/** {@link gather}, at once. */
export function gatherSync(options: GatherOptions): Float32Array {
  return runSync(prepare(options));
}

function prepare(options: GatherOptions): KernelCall<GatherArgs, Float32Array> {
  options = readOptions(options, [
    ...KERNEL_OPTIONS,
    'x',
    'indices',
    'batch',
    'outer',
    'size',
    'inner',
    'count',
    'out',
  ]);
  const { x, batch = 1, outer = 1, size, inner = 1, count } = options;
  const indices = unshared(options.indices);
  for (const [name, value] of Object.entries({ batch, outer, size, inner, count })) checkCount(name, value);
  checkFloat32Length('x', x, batch * outer * size * inner);
  checkInt32Length('indices', indices, batch * count);
  checkIndices('indices', indices, size);
  const length = batch * outer * count * inner;
  const out = options.out ?? allocate(Float32Array, length, 'indices');
  checkFloat32Length('out', out, length);
  const args = { x, indices, batch, outer, size, inner, count, out };
  return { kernel: 'gather', options, args, reference: gatherReference, inputs: {}, result: () => args.out };
}
