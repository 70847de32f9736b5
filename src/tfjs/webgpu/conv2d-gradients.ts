import * as tf from '#tf';
import { windowGeometry } from '../native/kernels/geometry.js';
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

/** The layer's shape as constants of the code: a division by one is a product, and there are several to each value that is read. */
function constants(info: Info): { key: string; code: string } {
  // How many images there are is no part of it: the last batch of an epoch is compiled with the others.
  const { batch, ...values } = windowGeometry(info);
  const lines = Object.entries(values).map(([name, value]) => `const ${name}: i32 = ${value};`);
  return { key: Object.values(values).join('_'), code: lines.join('\n') };
}

/** dW[(r, c, ci), co] = Σ over positions (b, y, x) of input[b, y·s + r - pad, x·s + c - pad, ci] dy[b, y, x, co]. */
function filterGradient({ inputs, backend, attrs }: Call): tf.TensorInfo {
  const { x, dy } = inputs as Record<'x' | 'dy', tf.TensorInfo>;
  const { filterShape } = attrs as unknown as tf.Conv2DBackpropFilterAttrs;
  const info = infoOf(attrs!, x.shape, filterShape);
  const m = info.filterHeight * info.filterWidth * info.inChannels;
  const sizes = { m, n: info.outChannels, k: info.batchSize * info.outHeight * info.outWidth };
  const parts = partsOf(sizes);
  const { uniforms, data } = fields({ ...sizes, partLength: partLengthOf(sizes.k, parts) });
  const layer = constants(info);
  const program = tiledProduct({
    key: `filterGradient_${layer.key}`,
    variableNames: ['x', 'dy'],
    outputShape: parts > 1 ? [parts, m, sizes.n] : filterShape,
    ...sizes,
    parts,
    uniforms,
    factors: `${layer.code}
      fn factorA(m: i32, k: i32) -> f32 {
        let position = k % (outHeight * outWidth);
        let image = k / (outHeight * outWidth);
        let offset = m / inChannels;
        let row = (position / outWidth) * strideHeight + offset / filterWidth - padTop;
        let column = (position % outWidth) * strideWidth + offset % filterWidth - padLeft;
        if (row < 0 || row >= inHeight || column < 0 || column >= inWidth) { return 0.0; }
        return x[((image * inHeight + row) * inWidth + column) * inChannels + m % inChannels];
      }
      fn factorB(k: i32, n: i32) -> f32 { return dy[k * outChannels + n]; }`,
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
  const { uniforms, data } = fields({ ...sizes, partLength: partLengthOf(sizes.k, 1) });
  const layer = constants(info);
  const program = tiledProduct({
    key: `inputGradient_${layer.key}`,
    variableNames: ['dy', 'W'],
    outputShape: inputShape,
    ...sizes,
    parts: 1,
    uniforms,
    factors: `${layer.code}
      fn factorA(m: i32, k: i32) -> f32 {
        let position = m % (inHeight * inWidth);
        let image = m / (inHeight * inWidth);
        let offset = k / outChannels;
        let down = position / inWidth + padTop - offset / filterWidth;
        let right = position % inWidth + padLeft - offset % filterWidth;
        if (down < 0 || right < 0 || down % strideHeight != 0 || right % strideWidth != 0) { return 0.0; }
        let row = down / strideHeight;
        let column = right / strideWidth;
        if (row >= outHeight || column >= outWidth) { return 0.0; }
        return dy[((image * outHeight + row) * outWidth + column) * outChannels + k % outChannels];
      }
      fn factorB(k: i32, n: i32) -> f32 {
        let offset = k / outChannels;
        return W[(offset * inChannels + n) * outChannels + k % outChannels];
      }`,
  });
  return (backend as unknown as ProgramBackend).runWebGPUProgram(program, [dy, filter], 'float32', data);
}
