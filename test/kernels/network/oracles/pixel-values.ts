import type { PixelValuesArgs } from '../../../../src/kernels/network/pixel-values.js';

/** out[i] = bytes[i] / 255 */
export function* pixelValuesReference({ bytes, size, out }: PixelValuesArgs): Generator<void> {
  for (let i = 0; i < size; i++) {
    out[i] = bytes[i] / 255;
    if (i % 65536 === 0) yield;
  }
}
