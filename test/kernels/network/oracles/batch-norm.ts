import { activationOf } from '../../../../src/kernels/network/arguments/activation.js';
import type {
  BatchMomentsArgs,
  BatchNormArgs,
  BatchNormGradientArgs,
} from '../../../../src/kernels/network/batch-norm.js';

/** mean = Σ x / rows; variance = Σ (x - mean)² / rows */
export function* batchMomentsReference({ x, rows, channels, mean, variance }: BatchMomentsArgs): Generator<void> {
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let i = c; i < x.length; i += channels) sum += x[i];
    const centre = sum / rows;
    let squares = 0;
    for (let i = c; i < x.length; i += channels) squares += (x[i] - centre) ** 2;
    mean[c] = centre;
    variance[c] = squares / rows;
    yield;
  }
}

/** out = act(scale (x - mean) / √(variance + epsilon) + offset) */
export function* batchNormReference(args: BatchNormArgs): Generator<void> {
  const { x, channels, mean, variance, scale, offset, epsilon, out } = args;
  const activation = activationOf(args.activation);
  for (let i = 0; i < x.length; i++) {
    const c = i % channels;
    out[i] = activation((scale[c] * (x[i] - mean[c])) / Math.sqrt(variance[c] + epsilon) + offset[c]);
    if (c === 0) yield;
  }
}

/** dx = scale / σ (dz - Σ dz / rows - x̂ Σ dz x̂ / rows), dScale = Σ dz x̂, dOffset = Σ dz; dz = dy where act passes */
export function* batchNormGradientReference(args: BatchNormGradientArgs): Generator<void> {
  const { x, rows, channels, mean, variance, scale, offset, epsilon, dy, dx, dScale, dOffset } = args;
  const highest = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 6][args.activation];
  for (let c = 0; c < channels; c++) {
    const deviation = Math.sqrt(variance[c] + epsilon);
    const normalised = (i: number) => (x[i] - mean[c]) / deviation;
    const passed = (i: number) => {
      const z = scale[c] * normalised(i) + offset[c];
      return args.activation === 0 || (z > 0 && z <= highest) ? dy[i] : 0;
    };
    let plain = 0;
    let weighted = 0;
    for (let i = c; i < x.length; i += channels) {
      plain += passed(i);
      weighted += passed(i) * normalised(i);
    }
    for (let i = c; i < x.length; i += channels) {
      dx[i] = (scale[c] / deviation) * (passed(i) - plain / rows - (normalised(i) * weighted) / rows);
    }
    dScale[c] = weighted;
    dOffset[c] = plain;
    yield;
  }
}
