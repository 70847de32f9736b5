import type * as tf from '@tensorflow/tfjs';
import type { NativeKernel } from './kernel.js';

/** Repetition along leading axes only: copies of the whole input one after the other, as gradients of reductions need. */
const tile: NativeKernel<tf.TileAttrs> = {
  kernelName: 'Tile',
  accepts({ inputs: { x }, attrs: { reps } }) {
    const lastRepeated = reps.findLastIndex((count) => count !== 1);
    return reps.length === x.shape.length && x.shape.slice(0, Math.max(0, lastRepeated)).every((size) => size === 1);
  },
  run({ inputs: { x }, attrs: { reps }, backend }) {
    const shape = x.shape.map((size, axis) => size * reps[axis]);
    const values = backend.floats(x);
    const out = backend.allocate(shape);
    out.set(values);
    for (let filled = values.length; filled < out.length; filled *= 2) out.copyWithin(filled, 0, filled);
    return backend.output(shape, out);
  },
};

export const tileKernels = [tile];
