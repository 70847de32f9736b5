import * as tf from '@tensorflow/tfjs';
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
  const values = new Float32Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] * size;
    for (let p = 0; p < size; p++) values[i * size + p] = dataset.images[from + p] / 255;
  }
  return tf.tensor4d(values, [indices.length, ...dataset.shape]);
}
