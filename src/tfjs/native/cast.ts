import type * as tf from '@tensorflow/tfjs';
import type { NativeBackend } from './backend.js';

/**
 * int32 and bool to float32 by converting. The cpu backend only relabels them, so that an Int32Array or Uint8Array lies
 * under a float32 tensor, which the addon cannot read.
 */
export function castKernel(fallback: tf.KernelFunc): tf.KernelFunc {
  return (args) => {
    const { x } = args.inputs as { x: tf.TensorInfo };
    const { dtype } = args.attrs as unknown as tf.CastAttrs;
    if (dtype !== 'float32' || (x.dtype !== 'int32' && x.dtype !== 'bool')) return fallback(args);
    const backend = args.backend as NativeBackend;
    const out = backend.allocate(x.shape);
    out.set(backend.data.get(x.dataId).values as Int32Array | Uint8Array);
    return backend.output(x.shape, out);
  };
}
