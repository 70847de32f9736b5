import type * as tf from '#tf';
import { pixelTensor } from '../tfjs/index.js';
import { checkDataset, checkIndices, type Dataset, imageSize } from './dataset.js';

/**
 * The images at `indices` as a float32 tensor `[indices.length, height, width, channels]` with values in [0, 1]
 * (pixel / 255). The caller disposes it.
 *
 * @throws EatDmlError ERR_ARGUMENT when there is no index or one is not in the dataset.
 */
export function imageBatch(dataset: Dataset, indices: ArrayLike<number>): tf.Tensor4D {
  checkDataset('dataset', dataset);
  checkIndices(indices, dataset.length);
  const size = imageSize(dataset);
  const bytes = new Uint8Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] * size;
    bytes.set(dataset.images.subarray(from, from + size), i * size);
  }
  return pixelTensor(bytes, [indices.length, ...dataset.shape]);
}
