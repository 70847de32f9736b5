import * as tf from '#tf';
import { eachElement } from './each-element.js';
import type { ProgramBackend } from './program.js';

/**
 * What ../ops/conv-relu.ts and ../ops/sum-relu.ts ask for, in the passes of an attack, too: a convolution with bias and activation is one kernel of
 * tfjs-backend-webgpu, which tfjs itself takes apart where a gradient is asked for.
 */
export const convReluKernels: Record<string, tf.KernelFunc> = {
  ConvRelu: fused('FusedConv2D'),
  ConvBias: fused('FusedConv2D'),
  DepthwiseRelu: fused('FusedDepthwiseConv2D'),
  ReluGrad: ({ inputs, backend, attrs }) => {
    const { dy, y } = inputs as Record<'dy' | 'y', tf.TensorInfo>;
    const below = (attrs as { activation?: string } | undefined)?.activation === 'relu6' ? ' && y[i] < 6.0' : '';
    return eachElement(backend as ProgramBackend, {
      key: `reluGrad${below && '6'}`,
      inputs: { dy, y },
      shape: dy.shape,
      uniforms: {},
      code: `result[i] = select(0.0, dy[i], y[i] > 0.0${below});`,
    });
  },
  SumRelu: ({ inputs, backend }) => {
    const { a, b } = inputs as Record<'a' | 'b', tf.TensorInfo>;
    const code = 'result[i] = max(a[i] + b[i], 0.0);';
    return eachElement(backend as ProgramBackend, {
      ...{ key: 'sumRelu', inputs: { a, b }, shape: a.shape, uniforms: {}, code },
    });
  },
};

/** tfjs-backend-webgpu's fused kernel of that name, as conv-relu.ts names what it takes. */
function fused(kernelName: string): tf.KernelFunc {
  return ({ inputs, backend, attrs }) => {
    const {
      strides,
      pad,
      activation = 'linear',
    } = attrs as { strides: number; pad: tf.NamedAttrMap['pad']; activation?: string };
    const whole = { strides, pad, activation, dataFormat: 'NHWC', dilations: [1, 1] };
    return tf.getKernel(kernelName, 'webgpu').kernelFunc({ inputs, backend, attrs: whole as tf.NamedAttrMap });
  };
}
