import type * as tf from '#tf';
import type { RunKernel } from '../../compose.js';

/** What FusedConv2D and _FusedMatMul add to a product. */
export interface FusedAttrs {
  activation?: tf.backend_util.Activation;
  leakyreluAlpha?: number;
}

const kernels: Record<string, string> = {
  elu: 'Elu',
  leakyrelu: 'LeakyRelu',
  linear: 'Identity',
  prelu: 'Prelu',
  relu: 'Relu',
  relu6: 'Relu6',
  sigmoid: 'Sigmoid',
};

type InRegister = 'none' | 'relu' | 'relu6';

/** The activation as the addon applies it before the product leaves the registers; undefined where it cannot. */
export function inRegister(activation: string | undefined): InRegister | undefined {
  if (activation === undefined || activation === null || activation === 'linear') return 'none';
  return activation === 'relu' || activation === 'relu6' ? activation : undefined;
}

/** Bias and activation as kernels of their own. */
export function biasAndActivation(
  run: RunKernel,
  product: tf.TensorInfo,
  { bias, preluActivationWeights }: Record<string, tf.TensorInfo | undefined>,
  { activation, leakyreluAlpha }: FusedAttrs,
): tf.TensorInfo {
  const biased = bias ? run('Add', { a: product, b: bias }) : product;
  if (!activation) return biased;
  const operands: Record<string, tf.TensorInfo> = { x: biased };
  if (activation === 'prelu') operands.alpha = preluActivationWeights!;
  return run(kernels[activation], operands, { alpha: leakyreluAlpha });
}
