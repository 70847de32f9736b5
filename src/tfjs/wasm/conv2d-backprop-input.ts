import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '#tf';
import { compose } from '../compose.js';

/** Of products that exist at one time: 64 MiB. */
const VALUES_AT_ONCE = 2 ** 24;

type Shape4D = [number, number, number, number];

/**
 * dL/dx as one matrix product, each output pixel's dy by the filter, whose rows are then added where their taps lay
 * in the image: several times faster than the loops of the backend's own kernel.
 */
export function conv2dBackpropInputOnWasm(own: tf.KernelFunc): tf.KernelFunc {
  return (args) => {
    const { dy, filter } = args.inputs as { dy: tf.TensorInfo; filter: tf.TensorInfo };
    const { strides, pad, dimRoundingMode, inputShape, dataFormat } =
      args.attrs as unknown as tf.Conv2DBackpropInputAttrs;
    if (dataFormat === 'NCHW') return own(args);
    const shape = filter.shape as Shape4D;
    const g = tf.backend_util.computeConv2DInfo(inputShape, shape, strides, 1, pad, dimRoundingMode);
    const backend = args.backend as BackendWasm;
    const out = backend.makeOutput(g.inShape, 'float32');
    backend.typedArrayFromHeap(out).fill(0);
    compose('wasm', backend, (run) => {
      const flat = run('Reshape', { x: filter }, { shape: [tapsOf(g), g.outChannels] });
      const turned = run('Transpose', { x: flat }, { perm: [1, 0] });
      const weights = run('Reshape', { x: turned }, { shape: [1, g.outChannels, tapsOf(g)] });
      const together = Math.max(1, Math.floor(VALUES_AT_ONCE / (g.outHeight * g.outWidth * tapsOf(g))));
      for (let first = 0; first < g.batchSize; first += together) {
        const images = Math.min(together, g.batchSize - first);
        addImages(backend, g, { dy, weights, out }, first, images);
      }
      return undefined;
    });
    return out;
  };
}

const tapsOf = (g: tf.backend_util.Conv2DInfo) => g.filterHeight * g.filterWidth * g.inChannels;

/** The gradient of images [first, first + images). */
function addImages(
  backend: BackendWasm,
  g: tf.backend_util.Conv2DInfo,
  { dy, weights, out }: Record<'dy' | 'weights' | 'out', tf.TensorInfo>,
  first: number,
  images: number,
): void {
  compose('wasm', backend, (run) => {
    const size = [images, g.outHeight, g.outWidth, g.outChannels];
    const part = run('Slice', { x: dy }, { begin: [first, 0, 0, 0], size });
    const shape = [1, images * g.outHeight * g.outWidth, g.outChannels];
    const upstream = run('Reshape', { x: part }, { shape });
    const products = run('BatchMatMul', { a: upstream, b: weights }, { transposeA: false, transposeB: false });
    // The views are taken after the allocations, which may move the heap.
    const image = backend.typedArrayFromHeap(out).subarray(first * g.inHeight * g.inWidth * g.inChannels);
    addTaps(g, images, backend.typedArrayFromHeap(products) as Float32Array, image as Float32Array);
    return undefined;
  });
}

/** image[b, i·stride + h - pad, j·stride + w - pad, c] += products[b,i,j,h,w,c] */
function addTaps(g: tf.backend_util.Conv2DInfo, images: number, products: Float32Array, image: Float32Array): void {
  const { outHeight, outWidth, filterHeight, filterWidth, inHeight, inWidth, inChannels } = g;
  let from = 0;
  for (let b = 0; b < images; b++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        for (let h = 0; h < filterHeight; h++) {
          const y = i * g.strideHeight + h - g.padInfo.top;
          for (let w = 0; w < filterWidth; w++, from += inChannels) {
            const x = j * g.strideWidth + w - g.padInfo.left;
            if (y < 0 || y >= inHeight || x < 0 || x >= inWidth) continue;
            const to = ((b * inHeight + y) * inWidth + x) * inChannels;
            for (let c = 0; c < inChannels; c++) image[to + c] += products[from + c];
          }
        }
      }
    }
  }
}
