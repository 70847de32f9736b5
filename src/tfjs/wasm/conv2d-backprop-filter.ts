import * as tf from '#tf';
import { compose } from '../compose.js';

/**
 * dL/dfilter[h,w,c,k] = Σ_{b,i,j} x[b, i·stride + h - pad, j·stride + w - pad, c] · dy[b,i,j,k]
 * is itself a convolution: channels of x act as the batch, the batch as the channels, dy as the filter, and
 * stride and dilation change places. So it runs on the backend's own fast Conv2D.
 */
export function conv2dBackpropFilterOnWasm({ inputs, backend, attrs }: Parameters<tf.KernelFunc>[0]): tf.TensorInfo {
  const { x, dy } = inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
  const { strides, pad, dimRoundingMode, filterShape } = attrs as unknown as tf.Conv2DBackpropFilterAttrs;
  const shape = x.shape as [number, number, number, number];
  const g = tf.backend_util.computeConv2DInfo(shape, filterShape, strides, 1, pad, dimRoundingMode);
  const { top, left } = g.padInfo;
  const bottom = Math.max(0, (g.outHeight - 1) * g.strideHeight + g.filterHeight - g.inHeight - top);
  const right = Math.max(0, (g.outWidth - 1) * g.strideWidth + g.filterWidth - g.inWidth - left);
  const convolution = {
    strides: [1, 1],
    dilations: [g.strideHeight, g.strideWidth],
    pad: [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ],
    dataFormat: 'NHWC',
  };
  return compose('wasm', backend as tf.KernelBackend, (run) => {
    const image = run('Transpose', { x }, { perm: [3, 1, 2, 0] });
    const filter = run('Transpose', { x: dy }, { perm: [1, 2, 0, 3] });
    const y = run('Conv2D', { x: image, filter }, convolution);
    // Rows and columns of x that no window reached give outputs beyond the filter's size.
    const size = [g.inChannels, g.filterHeight, g.filterWidth, g.outChannels];
    const own = run('Slice', { x: y }, { begin: [0, 0, 0, 0], size });
    return run('Transpose', { x: own }, { perm: [1, 2, 0, 3] });
  });
}
