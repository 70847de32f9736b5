import * as tf from '#tf';
import { gather, oneHot, segmentSum, select } from '../../../kernels/network/index.js';
import type { KernelCall, NativeKernel } from '../kernel.js';

const sizeOf = ({ shape }: tf.TensorInfo) => tf.util.sizeFromShape(shape);

/** Values that share a condition: a vector of conditions chooses between rows (where the cpu kernel repeats the first values). */
function sharedBy({ shape }: tf.TensorInfo, t: tf.TensorInfo): number {
  return shape.length === 1 && t.shape.length > 1 ? tf.util.sizeFromShape(t.shape.slice(1)) : 1;
}

const selectKernel: NativeKernel = {
  kernelName: 'Select',
  dtypes: { condition: 'bool' },
  accepts({ inputs: { condition, t, e } }) {
    const size = sizeOf(condition) * sharedBy(condition, t);
    return size === sizeOf(t) && size === sizeOf(e);
  },
  run({ inputs: { condition, t, e }, backend }) {
    const flags = backend.booleans(condition);
    const sizes = { rows: flags.length, inner: sharedBy(condition, t) };
    const out = backend.allocate(t.shape);
    const operands = { condition: flags, t: backend.floats(t), e: backend.floats(e) };
    return backend.output(t.shape, select({ ...operands, ...sizes, out }));
  },
};

function gathering({ inputs: { x, indices }, attrs: { axis, batchDims } }: KernelCall<tf.GatherV2Attrs>) {
  const [parsed] = tf.util.parseAxisParam(axis, x.shape);
  const { segment_util } = tf.backend_util;
  const info = segment_util.collectGatherOpShapeInfo(x as tf.Tensor, indices as tf.Tensor, parsed, batchDims ?? 0);
  const { batchSize: batch, outerSize: outer, dimSize: size, sliceSize: inner, outputShape } = info;
  return { outputShape, sizes: { batch, outer, size, inner, count: sizeOf(indices) / batch } };
}

const gatherV2: NativeKernel<tf.GatherV2Attrs> = {
  kernelName: 'GatherV2',
  dtypes: { indices: 'int32' },
  // The cpu kernel names an index that is out of range.
  accepts(call) {
    const { size } = gathering(call).sizes;
    return call.backend.integers(call.inputs.indices).every((index) => index >= 0 && index < size);
  },
  run(call) {
    const { inputs, backend } = call;
    const { outputShape, sizes } = gathering(call);
    const operands = { x: backend.floats(inputs.x), indices: backend.integers(inputs.indices) };
    return backend.output(outputShape, gather({ ...operands, ...sizes, out: backend.allocate(outputShape) }));
  },
};

/** A NaN stays in its own segment; the cpu kernel, which multiplies by masks, has it in all. */
const unsortedSegmentSum: NativeKernel<tf.UnsortedSegmentSumAttrs> = {
  kernelName: 'UnsortedSegmentSum',
  dtypes: { segmentIds: 'int32' },
  accepts: ({ inputs: { x, segmentIds }, attrs: { numSegments } }) =>
    segmentIds.shape.length === 1 && segmentIds.shape[0] === x.shape[0] && numSegments > 0,
  run({ inputs: { x, segmentIds }, attrs: { numSegments: segments }, backend }) {
    const [rows, ...rest] = x.shape;
    const shape = [segments, ...rest];
    const sizes = { rows, inner: tf.util.sizeFromShape(rest), segments };
    const operands = { x: backend.floats(x), ids: backend.integers(segmentIds) };
    return backend.output(shape, segmentSum({ ...operands, ...sizes, out: backend.allocate(shape) }));
  },
};

/** Of any dtype over a Float32Array, as the cpu kernel's. */
const oneHotKernel: NativeKernel<tf.OneHotAttrs> = {
  kernelName: 'OneHot',
  dtypes: { indices: 'int32' },
  accepts: ({ attrs: { depth } }) => depth > 0,
  run({ inputs: { indices }, attrs: { dtype, depth, onValue: on, offValue: off }, backend }) {
    const shape = [...indices.shape, depth];
    const sizes = { rows: sizeOf(indices), depth };
    const out = oneHot({ indices: backend.integers(indices), ...sizes, on, off, out: backend.allocate(shape) });
    return backend.makeTensorInfo(shape, dtype, out);
  },
};

export const pickingKernels: NativeKernel[] = [selectKernel, gatherV2, unsortedSegmentSum, oneHotKernel];
