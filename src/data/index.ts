export { type BalancedBatchOptions, balancedBatches, type UniformBatchOptions, uniformBatches } from './batches.js';
export {
  classesOf,
  type Dataset,
  type DatasetArrays,
  datasetFromArrays,
  datasetHash,
  imageDigests,
  type SplitSide,
  subset,
} from './dataset.js';
export { buildEmojiCache, type EmojiOptions, emoji, emojiPackagesDir } from './emoji.js';
export { EMOJI_PACKAGES } from './emoji-packages.js';
export { defaultCacheDir, type FashionMnistOptions, fashionMnist } from './fashion-mnist.js';
export { type IdxArray, type IdxData, readIdx, writeIdx } from './idx.js';
export { imageBatch } from './image-batch.js';
export {
  type ClassSplitOptions,
  partition,
  type SampleSplitOptions,
  type Split,
  splitByClass,
  splitBySample,
} from './splits.js';
