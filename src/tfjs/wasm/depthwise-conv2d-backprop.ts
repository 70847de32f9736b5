import * as tf from '#tf';
import { compose, type RunKernel } from '../compose.js';

type Shape4D = [number, number, number, number];
type KernelArguments = Parameters<tf.KernelFunc>[0];

/** dL/dfilter[h,w,c,q] = Σ_{b,i,j} x[b, i·stride + h·dilation - pad, ..., c] · dy[b,i,j, c·Q + q], tap by tap. */
export function depthwiseBackpropFilterOnWasm({ inputs, backend, attrs }: KernelArguments): tf.TensorInfo {
  const { x, dy } = inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
  const a = attrs as unknown as tf.DepthwiseConv2dNativeBackpropFilterAttrs;
  const g = tf.backend_util.computeConv2DInfo(
    x.shape as Shape4D,
    a.filterShape,
    a.strides,
    a.dilations,
    a.pad,
    a.dimRoundingMode,
    true,
  );
  const { top, left } = g.padInfo;
  const spanHeight = (g.outHeight - 1) * g.strideHeight + 1;
  const spanWidth = (g.outWidth - 1) * g.strideWidth + 1;
  const bottom = Math.max(0, spanHeight + (g.filterHeight - 1) * g.dilationHeight - g.inHeight - top);
  const right = Math.max(0, spanWidth + (g.filterWidth - 1) * g.dilationWidth - g.inWidth - left);
  const multiplier = g.outChannels / g.inChannels;
  const positions = g.batchSize * g.outHeight * g.outWidth;
  return compose('wasm', backend as tf.KernelBackend, (run) => {
    const padded = pad(run, x, [top, bottom], [left, right]);
    const upstream = run('Reshape', { x: dy }, { shape: [positions, g.inChannels, multiplier] });
    const taps: tf.TensorInfo[] = [];
    for (let tap = 0; tap < g.filterHeight * g.filterWidth; tap++) {
      const row = Math.floor(tap / g.filterWidth) * g.dilationHeight;
      const column = (tap % g.filterWidth) * g.dilationWidth;
      const seen = run(
        'StridedSlice',
        { x: padded },
        {
          begin: [0, row, column, 0],
          end: [g.batchSize, row + spanHeight, column + spanWidth, g.inChannels],
          strides: [1, g.strideHeight, g.strideWidth, 1],
          ...noMasks,
        },
      );
      const flat = run('Reshape', { x: seen }, { shape: [positions, g.inChannels, 1] });
      const products = run('Multiply', { a: flat, b: upstream });
      taps.push(run('Sum', { x: products }, { axis: [0], keepDims: false }));
    }
    const stacked = run('Pack', taps, { axis: 0 });
    return run('Reshape', { x: stacked }, { shape: a.filterShape });
  });
}

/**
 * dL/dx is the stride-1 depthwise convolution of dy, spread out by the stride with zeros between, with the
 * filter turned by 180 degrees; a channel multiplier Q gives Q such maps per channel, which are summed.
 */
export function depthwiseBackpropInputOnWasm({ inputs, backend, attrs }: KernelArguments): tf.TensorInfo {
  const { dy, filter } = inputs as { dy: tf.TensorInfo; filter: tf.TensorInfo };
  const a = attrs as unknown as tf.DepthwiseConv2dNativeBackpropInputAttrs;
  const g = tf.backend_util.computeConv2DInfo(
    a.inputShape,
    filter.shape as Shape4D,
    a.strides,
    a.dilations,
    a.pad,
    a.dimRoundingMode,
    true,
  );
  const multiplier = g.outChannels / g.inChannels;
  const reachHeight = (g.filterHeight - 1) * g.dilationHeight;
  const reachWidth = (g.filterWidth - 1) * g.dilationWidth;
  return compose('wasm', backend as tf.KernelBackend, (run) => {
    const spread = spreadByStride(run, dy, g);
    const rows = frame(reachHeight - g.padInfo.top, g.inHeight + reachHeight, spread.shape[1]);
    const columns = frame(reachWidth - g.padInfo.left, g.inWidth + reachWidth, spread.shape[2]);
    const padded = pad(run, spread, rows.pad, columns.pad);
    const framed = run(
      'Slice',
      { x: padded },
      {
        begin: [0, rows.begin, columns.begin, 0],
        size: [g.batchSize, g.inHeight + reachHeight, g.inWidth + reachWidth, g.outChannels],
      },
    );
    const turned = run('Reverse', { x: filter }, { dims: [0, 1] });
    const perMap = run('Reshape', { x: turned }, { shape: [g.filterHeight, g.filterWidth, g.outChannels, 1] });
    const maps = run(
      'DepthwiseConv2dNative',
      { x: framed, filter: perMap },
      { strides: [1, 1], pad: 'valid', dilations: [g.dilationHeight, g.dilationWidth] },
    );
    if (multiplier === 1) return maps;
    const perChannel = run('Reshape', { x: maps }, { shape: [...a.inputShape, multiplier] });
    return run('Sum', { x: perChannel }, { axis: [4], keepDims: false });
  });
}

const noMasks = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };

/** Zeros before and after, so that `size` rows starting `before` rows ahead exist; and where these rows begin. */
function frame(before: number, size: number, length: number): { pad: [number, number]; begin: number } {
  return { pad: [Math.max(0, before), Math.max(0, size - before - length)], begin: Math.max(0, -before) };
}

function pad(run: RunKernel, x: tf.TensorInfo, rows: [number, number], columns: [number, number]): tf.TensorInfo {
  return run('PadV2', { x }, { paddings: [[0, 0], rows, columns, [0, 0]], constantValue: 0 });
}

/** [B,H,W,C] -> [B, H·strideHeight, W·strideWidth, C], zeros between the values. */
function spreadByStride(run: RunKernel, dy: tf.TensorInfo, g: tf.backend_util.Conv2DInfo): tf.TensorInfo {
  const { batchSize, outHeight, outWidth, outChannels, strideHeight, strideWidth } = g;
  if (strideHeight === 1 && strideWidth === 1) return run('Identity', { x: dy });
  const rows = run('Reshape', { x: dy }, { shape: [batchSize * outHeight, 1, outWidth, outChannels] });
  const between = run(
    'PadV2',
    { x: rows },
    {
      paddings: [
        [0, 0],
        [0, strideHeight - 1],
        [0, 0],
        [0, 0],
      ],
      constantValue: 0,
    },
  );
  const values = run(
    'Reshape',
    { x: between },
    { shape: [batchSize * outHeight * strideHeight * outWidth, 1, outChannels] },
  );
  const spread = run(
    'PadV2',
    { x: values },
    {
      paddings: [
        [0, 0],
        [0, strideWidth - 1],
        [0, 0],
      ],
      constantValue: 0,
    },
  );
  return run(
    'Reshape',
    { x: spread },
    { shape: [batchSize, outHeight * strideHeight, outWidth * strideWidth, outChannels] },
  );
}
