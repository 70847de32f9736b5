import type { ResampleArgs } from '../../../../src/kernels/network/resample.js';

/** Every row by `across`, to bytes, then every column by `down`: (2^21 + Σ pixel weight) >> 22, in whole numbers that a double holds. */
export function* resampleReference(args: ResampleArgs): Generator<void> {
  const { pixels, height, width, channels, columns, acrossStep, across, rows, downStep, down, out } = args;
  const middle = new Uint8Array(height * columns * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < columns; x++) {
      for (let c = 0; c < 3; c++) {
        const pixel = (tap: number) => pixels[(y * width + across[x * acrossStep] + tap) * channels + c];
        middle[(y * columns + x) * 3 + c] = weighted(across, x * acrossStep, pixel);
      }
    }
    yield;
  }
  for (let y = 0; y < rows; y++) {
    for (let at = 0; at < columns * 3; at++) {
      const pixel = (tap: number) => middle[(down[y * downStep] + tap) * columns * 3 + at];
      out[y * columns * 3 + at] = weighted(down, y * downStep, pixel);
    }
  }
}

function weighted(places: Int32Array, at: number, pixel: (tap: number) => number): number {
  let sum = 2 ** 21;
  for (let tap = 0; tap < places[at + 1]; tap++) sum += pixel(tap) * places[at + 2 + tap];
  return Math.floor(sum / 2 ** 22);
}
