import { allocate } from '../allocate.js';
import { checkIndices, checkInt32Length } from '../integers.js';
import { checkCount, checkFloat32Length, readOptions, unshared } from '../matrix.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

export interface GatherArgs {
  x: Float32Array;
  indices: Int32Array;
  batch: number;
  outer: number;
  size: number;
  inner: number;
  count: number;
  out: Float32Array;
}

export interface GatherOptions {
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
export function gather(options: GatherOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepare(options));
}

function prepare(options: GatherOptions): NetworkCall<GatherArgs, Float32Array> {
  options = readOptions(options, ['x', 'indices', 'batch', 'outer', 'size', 'inner', 'count', 'out']);
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
  return { kernel: 'gather', options, args, result: () => args.out };
}
