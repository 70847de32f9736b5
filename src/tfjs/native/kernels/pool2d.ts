import * as tf from '#tf';
import { type PoolOp, pool2d, pool2dGradient } from '../../../kernels/network/index.js';
import { windowsReachImage } from '../../../kernels/network/pool2d.js';
import type { KernelCall, NativeKernel } from '../kernel.js';
import { type Shape4D, windowGeometry } from './geometry.js';

function poolInfo(x: tf.TensorInfo, { filterSize, strides, pad, dimRoundingMode }: tf.MaxPoolAttrs) {
  return tf.backend_util.computePool2DInfo(x.shape as Shape4D, filterSize, strides, 1, pad, dimRoundingMode);
}

function windowOf(x: tf.TensorInfo, attrs: tf.MaxPoolAttrs): number[] {
  const { filterHeight, filterWidth } = poolInfo(x, attrs);
  return [filterHeight, filterWidth];
}

function forward(kernelName: string, op: PoolOp): NativeKernel<tf.MaxPoolAttrs> {
  return {
    kernelName,
    // A window of one pixel is the identity to tfjs, NaN included; a rounding mode may put one outside the image.
    accepts: ({ inputs: { x }, attrs }) =>
      tf.util.sizeFromShape(windowOf(x, attrs)) > 1 && windowsReachImage(windowGeometry(poolInfo(x, attrs))),
    run({ inputs: { x }, attrs, backend }: KernelCall<tf.MaxPoolAttrs>) {
      const info = poolInfo(x, attrs);
      const out = backend.allocate(info.outShape);
      return backend.output(info.outShape, pool2d({ op, x: backend.floats(x), geometry: windowGeometry(info), out }));
    },
  };
}

function backward(kernelName: string, op: PoolOp): NativeKernel<tf.MaxPoolAttrs> {
  return {
    kernelName,
    accepts: ({ inputs: { input }, attrs }) => windowsReachImage(windowGeometry(poolInfo(input, attrs))),
    run({ inputs: { input, dy }, attrs, backend }: KernelCall<tf.MaxPoolAttrs>) {
      const info = poolInfo(input, attrs);
      const values = pool2dGradient({
        op,
        x: backend.floats(input),
        dy: backend.floats(dy),
        geometry: windowGeometry(info),
        dx: backend.allocate(info.inShape),
      });
      return backend.output(info.inShape, values);
    },
  };
}

export const poolKernels: NativeKernel[] = [
  forward('AvgPool', 'average'),
  forward('MaxPool', 'max'),
  backward('AvgPoolGrad', 'average'),
  backward('MaxPoolGrad', 'max'),
];
