import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '#tf';

/** out[s] = Σ_{i: segmentIds[i] = s} x[i]; ids outside 0 .. numSegments-1 are left out. One plain pass over the heap. */
export function unsortedSegmentSumOnWasm({ inputs, backend, attrs }: Parameters<tf.KernelFunc>[0]): tf.TensorInfo {
  const { x, segmentIds } = inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo };
  const { numSegments } = attrs as unknown as tf.UnsortedSegmentSumAttrs;
  const wasm = backend as BackendWasm;
  const rows = segmentIds.shape[0];
  const width = rows === 0 ? 0 : tf.util.sizeFromShape(x.shape) / rows;
  const out = wasm.makeOutput([numSegments, ...x.shape.slice(1)], 'float32');
  // The views are taken after the allocation, which may move the heap.
  const sums = wasm.typedArrayFromHeap(out).fill(0);
  const values = wasm.typedArrayFromHeap(x);
  const ids = wasm.typedArrayFromHeap(segmentIds);
  for (let row = 0; row < rows; row++) {
    const segment = ids[row];
    if (segment < 0 || segment >= numSegments) continue;
    for (let j = 0; j < width; j++) sums[segment * width + j] += values[row * width + j];
  }
  return out;
}
