import type * as tf from '#tf';
import { binary } from '../../../kernels/network/index.js';
import type { NativeBackend } from '../backend.js';
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

/**
 * Conditions, which `where` repeats to the shape of images, by copies of runs: the cpu backend looks every value up by its place in a
 * list that it makes of it. All else is the fallback's.
 */
export function tileKernel(fallback: tf.KernelFunc): tf.KernelFunc {
  return (args) => {
    const { x } = args.inputs as { x: tf.TensorInfo };
    const { reps } = args.attrs as unknown as tf.TileAttrs;
    const backend = args.backend as NativeBackend;
    const shape = x.shape.map((size, axis) => size * reps[axis]);
    if (x.dtype !== 'bool' || x.shape.length === 0 || reps.length !== x.shape.length || shape.includes(0)) {
      return fallback(args);
    }
    const out = repeated(backend.booleans(x), x.shape, reps, backend.allocateFlags(shape));
    return backend.makeTensorInfo(shape, 'bool', out);
  };
}

/** `values` of `shape`, each axis `reps` times, in `out`. */
function repeated(values: Uint8Array, shape: readonly number[], reps: readonly number[], out: Uint8Array): Uint8Array {
  const sizeFrom = (axis: number) => shape.slice(axis).reduce((size, length) => size * length, 1);
  const copiesFrom = (axis: number) => reps.slice(axis).reduce((count, copies) => count * copies, 1);
  const place = (axis: number, from: number, to: number): void => {
    const size = sizeFrom(axis);
    const all = size * copiesFrom(axis);
    if (size === 1) {
      out.fill(values[from], to, to + all);
      return;
    }
    const run = all / reps[axis];
    const [inner, outer] = [size / shape[axis], run / shape[axis]];
    for (let i = 0; i < shape[axis]; i++) place(axis + 1, from + i * inner, to + i * outer);
    for (let copy = 1; copy < reps[axis]; copy++) out.copyWithin(to + copy * run, to, to + run);
  };
  place(0, 0, 0);
  return out;
}

/** In an array that was used before. */
const zerosLike: NativeKernel = {
  kernelName: 'ZerosLike',
  run: ({ inputs: { x }, backend }) => backend.output(x.shape, backend.allocate(x.shape).fill(0)),
};

export const tileKernels = [tile, zerosLike];
