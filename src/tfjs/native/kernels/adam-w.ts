import type * as tf from '#tf';
import { adamW } from '../../../kernels/network/index.js';
import type { NativeKernel } from '../kernel.js';

/** What a step takes besides the operands, as training/adamw.ts has it. */
export interface AdamWAttrs {
  beta1: number;
  beta2: number;
  kept: number;
  rate: number;
  floor: number;
}

/**
 * One step of AdamW over a group of variables w0, w1, ... with gradients g0, g1, ... (a missing one is zero), whose moments
 * lie one after the other in `first` and `second`: [first', second', w0', w1', ...].
 */
const adamWKernel: NativeKernel<AdamWAttrs> = {
  kernelName: 'AdamW',
  run({ inputs: { first, second, ...rest }, attrs, backend }) {
    const inputs = rest as Record<string, tf.TensorInfo | undefined>;
    const moments = [first, second].map((t) => ({ from: backend.floats(t), to: backend.allocate(t.shape) }));
    const weights: tf.TensorInfo[] = [];
    let start = 0;
    for (let i = 0, w = inputs.w0; w; w = inputs[`w${++i}`]) {
      const values = backend.floats(w);
      const gradient = inputs[`g${i}`];
      const end = start + values.length;
      const [m, v] = moments.map(({ from, to }) => ({ from: from.subarray(start, end), to: to.subarray(start, end) }));
      const out = { weights: backend.allocate(w.shape), first: m.to, second: v.to };
      adamW({
        weights: values,
        gradient: gradient ? backend.floats(gradient) : new Float32Array(values.length),
        first: m.from,
        second: v.from,
        ...attrs,
        out,
      });
      weights.push(backend.output(w.shape, out.weights));
      start = end;
    }
    return [...moments.map(({ to }, i) => backend.output([first, second][i].shape, to)), ...weights];
  },
};

export const optimizerKernels: NativeKernel[] = [adamWKernel];
