export { type BalancedBatchOptions, balancedBatches, type UniformBatchOptions, uniformBatches } from './batches.js';
export { defaultCacheDir } from './cache.js';
export {
  classesOf,
  type Dataset,
  type DatasetArrays,
  datasetFromArrays,
  datasetHash,
  imageDigests,
  type SplitSide,
} from './dataset.js';
export { type DecodedCacheOptions, decodedCache } from './decoded-cache.js';
export { type IdxArray, type IdxData, readIdx, writeIdx } from './idx.js';
export { imageBatch } from './image-batch.js';
export { type NpyArray, readNpy, writeNpy } from './npy.js';
export { type ImageFilesOptions, imageFiles } from './image-files.js';
export { buildEmojiCache, type EmojiOptions, emoji, emojiPackagesDir } from './sets/emoji.js';
export { EMOJI_PACKAGES } from './sets/emoji-packages.js';
export { type FashionMnistOptions, fashionMnist } from './sets/fashion-mnist.js';
export { type ReadOptions, type Source, sourceOf, subset } from './source.js';
export {
  type ClassSplitOptions,
  partition,
  type SampleSplitOptions,
  type Split,
  splitByClass,
  splitBySample,
} from './splits.js';
export type { TransformOptions } from './transforms.js';
