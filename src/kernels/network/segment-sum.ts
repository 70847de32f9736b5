import { allocate } from '../allocate.js';
import { checkInt32Length } from '../integers.js';
import { checkCount, checkFloat32Length, readOptions, unshared } from '../matrix.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

export interface SegmentSumArgs {
  x: Float32Array;
  ids: Int32Array;
  rows: number;
  inner: number;
  segments: number;
  out: Float32Array;
}

export interface SegmentSumOptions {
  /** [rows, inner] */
  x: Float32Array;
  /** [rows]: the segment of each row; a row with one outside [0, segments) counts nowhere. */
  ids: Int32Array;
  rows: number;
  /** Default 1. */
  inner?: number;
  segments: number;
  /** [segments, inner] */
  out?: Float32Array;
}

/**
 * out[s,i] = Σ x[r,i] over the rows r with ids[r] = s, in double, in the order of the rows; 0 where there is none.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function segmentSum(options: SegmentSumOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepare(options));
}

function prepare(options: SegmentSumOptions): NetworkCall<SegmentSumArgs, Float32Array> {
  options = readOptions(options, ['x', 'ids', 'rows', 'inner', 'segments', 'out']);
  const { x, rows, inner = 1, segments } = options;
  const ids = unshared(options.ids);
  for (const [name, value] of Object.entries({ rows, inner, segments })) checkCount(name, value);
  checkFloat32Length('x', x, rows * inner);
  checkInt32Length('ids', ids, rows);
  const out = options.out ?? allocate(Float32Array, segments * inner, 'segments');
  checkFloat32Length('out', out, segments * inner);
  const args = { x, ids, rows, inner, segments, out };
  return { kernel: 'segmentSum', options, args, result: () => args.out };
}
