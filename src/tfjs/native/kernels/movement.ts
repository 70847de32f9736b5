import * as tf from '#tf';
import { stridedCopy } from '../../../kernels/network/index.js';
import type { NativeBackend } from '../backend.js';
import type { KernelCall, NativeKernel } from '../kernel.js';

const stridesOf = (shape: readonly number[]) =>
  shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));

const offsetOf = (begin: readonly number[], strides: readonly number[]) =>
  begin.reduce((sum, at, axis) => sum + at * strides[axis], 0);

/** Up to 6 axes, at least one. */
const fits = (shape: readonly number[]) => shape.length >= 1 && shape.length <= 6;

/** The part of x of `size` that begins at `begin`. */
function part(backend: NativeBackend, x: tf.TensorInfo, begin: readonly number[], size: number[]): tf.TensorInfo {
  const xStrides = stridesOf(x.shape);
  const options = { shape: size, xStrides, outStrides: stridesOf(size), xOffset: offsetOf(begin, xStrides) };
  return backend.output(size, stridedCopy({ x: backend.floats(x), ...options, out: backend.allocate(size) }));
}

const slice: NativeKernel<tf.SliceAttrs> = {
  kernelName: 'Slice',
  accepts({ inputs: { x }, attrs: { begin, size } }) {
    const [, counts] = tf.slice_util.parseSliceParams(x as tf.Tensor, begin, size);
    return fits(x.shape) && !counts.includes(0);
  },
  run({ inputs: { x }, attrs: { begin, size }, backend }) {
    const [from, counts] = tf.slice_util.parseSliceParams(x as tf.Tensor, begin, size);
    tf.slice_util.assertParamsValid(x as tf.Tensor, from, counts);
    return part(backend, x, from, counts);
  },
};

const splitV: NativeKernel<tf.SplitVAttrs> = {
  kernelName: 'SplitV',
  accepts: ({ inputs: { x }, attrs: { numOrSizeSplits, axis } }) =>
    fits(x.shape) && !sizesOf(x, numOrSizeSplits, axis).includes(0),
  run({ inputs: { x }, attrs: { numOrSizeSplits, axis: given }, backend }) {
    const [axis] = tf.util.parseAxisParam(given, x.shape);
    let start = 0;
    return sizesOf(x, numOrSizeSplits, given).map((count) => {
      const [begin, size] = [x.shape.map(() => 0), [...x.shape]];
      [begin[axis], size[axis]] = [start, count];
      start += count;
      return part(backend, x, begin, size);
    });
  },
};

function sizesOf(x: tf.TensorInfo, numOrSizeSplits: number[] | number, axis: number): number[] {
  return tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, tf.util.parseAxisParam(axis, x.shape)[0]);
}

const concat: NativeKernel<tf.ConcatAttrs> = {
  kernelName: 'Concat',
  accepts: ({ inputs }) => Object.values(inputs).every((x) => fits(x.shape)),
  run({ inputs, attrs, backend }) {
    const parts = Object.values(inputs);
    const [axis] = tf.util.parseAxisParam(attrs.axis, parts[0].shape);
    const shapes = parts.map((x) => x.shape);
    tf.backend_util.assertParamsConsistent(shapes, axis);
    const shape = tf.backend_util.computeOutShape(shapes, axis);
    const out = backend.allocate(shape);
    const outStrides = stridesOf(shape);
    let start = 0;
    for (const x of parts) {
      const options = { shape: x.shape, xStrides: stridesOf(x.shape), outStrides, outOffset: start * outStrides[axis] };
      stridedCopy({ x: backend.floats(x), ...options, out });
      start += x.shape[axis];
    }
    return backend.output(shape, out);
  },
};

const pad: NativeKernel<tf.PadV2Attrs> = {
  kernelName: 'PadV2',
  accepts: ({ inputs: { x } }) => fits(x.shape),
  run({ inputs: { x }, attrs: { paddings, constantValue }, backend }) {
    const shape = x.shape.map((size, axis) => size + paddings[axis][0] + paddings[axis][1]);
    const out = backend.allocate(shape).fill(constantValue);
    const outStrides = stridesOf(shape);
    const outOffset = offsetOf(
      paddings.map(([before]) => before),
      outStrides,
    );
    const options = { shape: x.shape, xStrides: stridesOf(x.shape), outStrides, outOffset };
    return backend.output(shape, stridedCopy({ x: backend.floats(x), ...options, out }));
  },
};

const transpose: NativeKernel<tf.TransposeAttrs> = {
  kernelName: 'Transpose',
  accepts: ({ inputs: { x } }) => fits(x.shape),
  run({ inputs: { x }, attrs: { perm }, backend }) {
    const [shape, strides] = [perm.map((axis) => x.shape[axis]), stridesOf(x.shape)];
    const options = { shape, xStrides: perm.map((axis) => strides[axis]), outStrides: stridesOf(shape) };
    return backend.output(shape, stridedCopy({ x: backend.floats(x), ...options, out: backend.allocate(shape) }));
  },
};

const reverse: NativeKernel<tf.ReverseAttrs> = {
  kernelName: 'Reverse',
  accepts: ({ inputs: { x } }) => fits(x.shape),
  run({ inputs: { x }, attrs: { dims }, backend }: KernelCall<tf.ReverseAttrs>) {
    const turned = tf.util.parseAxisParam(dims, x.shape);
    const outStrides = stridesOf(x.shape);
    const xStrides = outStrides.map((stride, axis) => (turned.includes(axis) ? -stride : stride));
    const xOffset = turned.reduce((sum, axis) => sum + (x.shape[axis] - 1) * outStrides[axis], 0);
    const options = { shape: x.shape, xStrides, outStrides, xOffset, out: backend.allocate(x.shape) };
    return backend.output(x.shape, stridedCopy({ x: backend.floats(x), ...options }));
  },
};

export const movementKernels: NativeKernel[] = [slice, splitV, concat, pad, transpose, reverse];
