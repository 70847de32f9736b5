import * as tf from '#tf';
import type { AdamWAttrs } from '../native/kernels/adam-w.js';
import { eachElement } from './each-element.js';
import type { ProgramBackend } from './program.js';

/**
 * One step of AdamW over a group of variables w0, w1, ... with gradients g0, g1, ... (a missing one is zero), whose moments
 * lie one after the other in `first` and `second`: [first', second', w0', w1', ...]. One pass over all of them.
 */
export const adamWKernel: tf.KernelFunc = ({ inputs, backend, attrs }) =>
  tf.tidy(() => {
    const { first, second, ...rest } = inputs as tf.NamedTensorMap;
    const weights = Object.keys(rest).flatMap((name) => (name.startsWith('w') ? [rest[name]] : []));
    const gradient = flat(weights.map((weight, i) => rest[`g${i}`] ?? tf.zerosLike(weight)));
    const moved = step({ first, second, gradient, weights: flat(weights) }, backend as ProgramBackend, attrs);
    let start = 0;
    return [first, second, ...weights].map(({ shape, size }) => {
      start += size;
      return tf.reshape(tf.slice(moved, start - size, size), shape);
    });
  });

const flat = (tensors: tf.Tensor[]) => tf.concat1d(tensors.map((tensor) => tf.reshape(tensor, [-1])));

/** [3 n]: both moments and the weights as they are after the step. */
function step(
  inputs: Record<'first' | 'second' | 'gradient' | 'weights', tf.Tensor>,
  backend: ProgramBackend,
  attrs: unknown,
) {
  const { beta1, beta2, kept, rate, floor } = attrs as AdamWAttrs;
  const n = inputs.first.size;
  const info = eachElement(backend, {
    key: 'adamW',
    inputs,
    shape: [3 * n],
    uniforms: {
      n,
      beta1F: beta1,
      // 1 - beta in double: in float its last digits would be gone.
      rest1F: 1 - beta1,
      beta2F: beta2,
      rest2F: 1 - beta2,
      keptF: kept,
      rateF: rate,
      floorF: floor,
    },
    code: `
      let j = i % uniforms.n;
      let g = gradient[j];
      let m = first[j] * uniforms.beta1F + g * uniforms.rest1F;
      let v = second[j] * uniforms.beta2F + g * g * uniforms.rest2F;
      switch i / uniforms.n {
        case 0: { result[i] = m; }
        case 1: { result[i] = v; }
        default: { result[i] = weights[j] * uniforms.keptF - m / (sqrt(v) + uniforms.floorF) * uniforms.rateF; }
      }`,
  });
  return tf.engine().makeTensorFromTensorInfo(info) as tf.Tensor1D;
}
