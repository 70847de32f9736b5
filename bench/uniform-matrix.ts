import type { Matrix } from '../src/kernels/index.js';

/** Uniform in [low, low + 1), by a plain loop (xorshift): 256 million values take a second. */
export function uniformMatrix(rows: number, cols: number, seed: number, low = -0.5): Matrix {
  const data = new Float32Array(rows * cols);
  let state = (seed * 0x9e3779b9) | 1;
  for (let i = 0; i < data.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[i] = low + (state >>> 0) / 2 ** 32;
  }
  return { data, rows, cols };
}
