import type { ActivationCode } from './activation.js';

export interface BatchMomentsArgs {
  x: Float32Array;
  rows: number;
  channels: number;
  mean: Float32Array;
  variance: Float32Array;
}

/** mean = Σ x / rows; variance = Σ (x - mean)² / rows */
export function* batchMomentsReference({ x, rows, channels, mean, variance }: BatchMomentsArgs): Generator<void> {
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let i = c; i < rows * channels; i += channels) sum += x[i];
    const centre = sum / rows;
    let squares = 0;
    for (let i = c; i < rows * channels; i += channels) squares += (x[i] - centre) ** 2;
    mean[c] = centre;
    variance[c] = squares / rows;
    yield;
  }
}
