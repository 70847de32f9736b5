import type * as tf from '#tf';
import type { NativeBackend } from '../backend.js';

type Numbers = Float32Array | Int32Array | Uint8Array;

/**
 * Casts between float32, int32 and bool by converting. To a wider dtype the cpu backend only relabels, so that an Int32Array or
 * Uint8Array lies under a float32 tensor, which the addon cannot read; to a narrower one it goes value by value.
 */
export function castKernel(fallback: tf.KernelFunc): tf.KernelFunc {
  return (args) => {
    const { x } = args.inputs as { x: tf.TensorInfo };
    const { dtype } = args.attrs as unknown as tf.CastAttrs;
    const backend = args.backend as NativeBackend;
    const known = x.dtype === 'float32' || x.dtype === 'int32' || x.dtype === 'bool';
    if (!known || dtype === x.dtype) return fallback(args);
    const values = backend.data.get(x.dataId).values as Numbers;
    if (dtype === 'float32') {
      const out = backend.allocate(x.shape);
      out.set(values);
      return backend.output(x.shape, out);
    }
    if (dtype === 'int32') return backend.makeTensorInfo(x.shape, dtype, new Int32Array(values));
    if (dtype === 'bool')
      return backend.makeTensorInfo(x.shape, dtype, flagsOf(values, backend.allocateFlags(x.shape)));
    return fallback(args);
  };
}

/** 1 where a value is not 0; NaN is not. */
function flagsOf(values: Numbers, out: Uint8Array): Uint8Array {
  for (let i = 0; i < values.length; i++) out[i] = values[i] !== 0 ? 1 : 0;
  return out;
}
