import type * as tf from '@tensorflow/tfjs';
import { binary } from '../../../kernels/network/index.js';
import type { KernelCall, NativeKernel } from '../kernel.js';
import { broadcast } from './broadcast.js';

/** The input's axes and the copies of each, every repeated axis longer than 1 cut into copies and a run: [reps, size]. */
function axesOf({ inputs: { x }, attrs: { reps } }: KernelCall<tf.TileAttrs>) {
  const axes = x.shape.flatMap((size, axis) => {
    const count = reps[axis];
    return size === 1 || count === 1
      ? [{ size, count }]
      : [
          { size: 1, count },
          { size, count: 1 },
        ];
  });
  return { from: axes.map(({ size }) => size), to: axes.map(({ size, count }) => size * count) };
}

const one = Float32Array.of(1);

/** Repetition, as broadcasting: x times 1. */
const tile: NativeKernel<tf.TileAttrs> = {
  kernelName: 'Tile',
  accepts(call) {
    const { from, to } = axesOf(call);
    return (
      call.attrs.reps.length === call.inputs.x.shape.length && !to.includes(0) && broadcast(from, to) !== undefined
    );
  },
  run(call) {
    const { inputs, attrs, backend } = call;
    const { from, to } = axesOf(call);
    const layout = broadcast(from, to)!;
    const shape = inputs.x.shape.map((size, axis) => size * attrs.reps[axis]);
    const operands = { a: backend.floats(inputs.x), b: one, ...layout, bStrides: [0, 0, 0, 0] };
    return backend.output(shape, binary({ op: 'mul', ...operands, out: backend.allocate(shape) }));
  },
};

export const tileKernels = [tile];
