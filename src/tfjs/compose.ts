import * as tf from '#tf';

/** Runs one kernel of the composing backend by name. */
export type RunKernel = (
  name: string,
  inputs: Record<string, tf.TensorInfo> | tf.TensorInfo[],
  attrs?: Record<string, unknown>,
) => tf.TensorInfo;

/**
 * Builds a kernel out of other kernels of the same backend: every intermediate result is freed, also when a
 * kernel throws; only what `body` returns, if anything, lives on.
 */
export function compose<T extends tf.TensorInfo | undefined>(
  backendName: string,
  backend: tf.KernelBackend,
  body: (run: RunKernel) => T,
): T {
  const made: tf.TensorInfo[] = [];
  let result: T | undefined;
  const run: RunKernel = (name, inputs, attrs = {}) => {
    const kernel = tf.getKernel(name, backendName);
    if (!kernel) throw new Error(`Kernel ${name} is not registered for backend ${backendName}.`);
    const output = kernel.kernelFunc({
      inputs: inputs as tf.NamedTensorInfoMap,
      backend,
      attrs: attrs as tf.NamedAttrMap,
    }) as tf.TensorInfo;
    made.push(output);
    return output;
  };
  try {
    result = body(run);
    return result;
  } finally {
    for (const info of made) if (info !== result) backend.disposeData(info.dataId);
  }
}
