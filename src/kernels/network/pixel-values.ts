import { allocate } from '../allocate.js';
import { checkUint8 } from '../integers.js';
import { checkFloat32Length, readOptions } from '../matrix.js';
import { lengthOf } from '../typed-arrays.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

export interface PixelValuesArgs {
  bytes: Uint8Array;
  size: number;
  out: Float32Array;
}

export interface PixelValuesOptions {
  bytes: Uint8Array;
  /** As many values as there are bytes. */
  out?: Float32Array;
}

/**
 * Bytes as numbers in [0, 1]: out[i] = bytes[i] / 255, the nearest float.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function pixelValues(options: PixelValuesOptions, run: NetworkRun = runNative): Float32Array {
  return run(prepare(options));
}

function prepare(options: PixelValuesOptions): NetworkCall<PixelValuesArgs, Float32Array> {
  options = readOptions(options, ['bytes', 'out']);
  const { bytes } = options;
  checkUint8('bytes', bytes);
  const size = lengthOf(bytes);
  const out = options.out ?? allocate(Float32Array, size, 'bytes');
  checkFloat32Length('out', out, size);
  const args = { bytes, size, out };
  return { kernel: 'pixelValues', options, args, result: () => args.out };
}
