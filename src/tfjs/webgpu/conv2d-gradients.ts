import * as tf from '@tensorflow/tfjs';
import { sumOfParts } from './each-element.js';
import { fields, type ProgramBackend } from './program.js';
import { MOST_ROWS, partLengthOf, partsOf, tiledProduct } from './tiled-product.js';

/**
 * The gradients of a convolution as products over tiles. tfjs-backend-webgpu 4.22 takes one thread per weight, which goes through all positions of
 * all images by itself, and one per pixel of the input, which reads all weights from memory.
 */
export const convolutionGradients: Record<string, (own: tf.KernelFunc) => tf.KernelFunc> = {
  Conv2DBackpropFilter: (own) => (call) => (isChannelsLast(call) ? filterGradient(call) : own(call)),
  Conv2DBackpropInput: (own) => (call) =>
    isChannelsLast(call) && fits(call.attrs as unknown as tf.Conv2DBackpropInputAttrs)
      ? inputGradient(call)
      : own(call),
};

type Call = Parameters<tf.KernelFunc>[0];

const isChannelsLast = ({ attrs }: Call) => attrs?.dataFormat !== 'NCHW';

/** Rows of tiles that one dispatch can have. */
const fits = ({ inputShape: [batch, height, width] }: tf.Conv2DBackpropInputAttrs) =>
  batch * height * width <= MOST_ROWS;

function infoOf(attrs: tf.NamedAttrMap, inShape: number[], filterShape: number[]) {
  const { strides, pad, dimRoundingMode } = attrs as unknown as tf.Conv2DBackpropFilterAttrs;
  return tf.backend_util.computeConv2DInfo(
    inShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    1,
    pad as Parameters<typeof tf.backend_util.computeConv2DInfo>[4],
    dimRoundingMode,
  );
}

type Info = ReturnType<typeof infoOf>;

/** What both factors' code reads. */
function shapeFields(info: Info) {
  return {
    inHeight: info.inHeight,
    inWidth: info.inWidth,
    inChannels: info.inChannels,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    outChannels: info.outChannels,
    filterWidth: info.filterWidth,
    strideY: info.strideHeight,
    strideX: info.strideWidth,
    padTop: info.padInfo.top,
    padLeft: info.padInfo.left,
  };
}

/** dW[(r, c, ci), co] = Σ over positions (b, y, x) of input[b, y·s + r - pad, x·s + c - pad, ci] dy[b, y, x, co]. */
function filterGradient({ inputs, backend, attrs }: Call): tf.TensorInfo {
  const { x, dy } = inputs as Record<'x' | 'dy', tf.TensorInfo>;
  const { filterShape } = attrs as unknown as tf.Conv2DBackpropFilterAttrs;
  const info = infoOf(attrs!, x.shape, filterShape);
  const m = info.filterHeight * info.filterWidth * info.inChannels;
  const sizes = { m, n: info.outChannels, k: info.batchSize * info.outHeight * info.outWidth };
  const parts = partsOf(sizes);
  const { uniforms, data } = fields({
    ...sizes,
    partLength: partLengthOf(sizes.k, parts),
    ...shapeFields(info),
  });
  const program = tiledProduct({
    key: 'filterGradient',
    variableNames: ['x', 'dy'],
    outputShape: parts > 1 ? [parts, m, sizes.n] : filterShape,
    ...sizes,
    parts,
    uniforms,
    factors: `
      fn factorA(m: i32, k: i32) -> f32 {
        let position = k % (uniforms.outHeight * uniforms.outWidth);
        let image = k / (uniforms.outHeight * uniforms.outWidth);
        let offset = m / uniforms.inChannels;
        let row = (position / uniforms.outWidth) * uniforms.strideY + offset / uniforms.filterWidth - uniforms.padTop;
        let column = (position % uniforms.outWidth) * uniforms.strideX + offset % uniforms.filterWidth - uniforms.padLeft;
        if (row < 0 || row >= uniforms.inHeight || column < 0 || column >= uniforms.inWidth) { return 0.0; }
        return x[((image * uniforms.inHeight + row) * uniforms.inWidth + column) * uniforms.inChannels + m % uniforms.inChannels];
      }
      fn factorB(k: i32, n: i32) -> f32 { return dy[k * uniforms.outChannels + n]; }`,
  });
  const on = backend as ProgramBackend;
  const product = on.runWebGPUProgram(program, [x, dy], 'float32', data);
  if (parts === 1) return product;
  const sum = sumOfParts(on, product, filterShape, parts);
  on.disposeData(product.dataId);
  return sum;
}

/** dx[(b, y, x), ci] = Σ over (r, c, co) of dy[b, (y + pad - r) / s, (x + pad - c) / s, co] W[r, c, ci, co], where s divides. */
function inputGradient({ inputs, backend, attrs }: Call): tf.TensorInfo {
  const { dy, filter } = inputs as Record<'dy' | 'filter', tf.TensorInfo>;
  const { inputShape } = attrs as unknown as tf.Conv2DBackpropInputAttrs;
  const info = infoOf(attrs!, inputShape, filter.shape);
  const sizes = {
    m: info.batchSize * info.inHeight * info.inWidth,
    n: info.inChannels,
    k: info.filterHeight * info.filterWidth * info.outChannels,
  };
  const { uniforms, data } = fields({ ...sizes, partLength: partLengthOf(sizes.k, 1), ...shapeFields(info) });
  const program = tiledProduct({
    key: 'inputGradient',
    variableNames: ['dy', 'W'],
    outputShape: inputShape,
    ...sizes,
    parts: 1,
    uniforms,
    factors: `
      fn factorA(m: i32, k: i32) -> f32 {
        let position = m % (uniforms.inHeight * uniforms.inWidth);
        let image = m / (uniforms.inHeight * uniforms.inWidth);
        let offset = k / uniforms.outChannels;
        let down = position / uniforms.inWidth + uniforms.padTop - offset / uniforms.filterWidth;
        let right = position % uniforms.inWidth + uniforms.padLeft - offset % uniforms.filterWidth;
        if (down < 0 || right < 0 || down % uniforms.strideY != 0 || right % uniforms.strideX != 0) { return 0.0; }
        let row = down / uniforms.strideY;
        let column = right / uniforms.strideX;
        if (row >= uniforms.outHeight || column >= uniforms.outWidth) { return 0.0; }
        return dy[((image * uniforms.outHeight + row) * uniforms.outWidth + column) * uniforms.outChannels + k % uniforms.outChannels];
      }
      fn factorB(k: i32, n: i32) -> f32 {
        let offset = k / uniforms.outChannels;
        return W[(offset * uniforms.inChannels + n) * uniforms.outChannels + k % uniforms.outChannels];
      }`,
  });
  return (backend as unknown as ProgramBackend).runWebGPUProgram(program, [dy, filter], 'float32', data);
}
