export { type BalancedBatchOptions, balancedBatches, type UniformBatchOptions, uniformBatches } from './batches.js';
export { type LeaveOutOptions, withoutBroken } from './broken-files.js';
export {
  classesOf,
  type Dataset,
  type DatasetArrays,
  datasetFromArrays,
  type SplitSide,
} from './dataset.js';
export { type DecodedCacheOptions, decodedCache } from './decoded-cache.js';
export { type IdxArray, type IdxData, readIdx, writeIdx } from './idx.js';
export { type ImageFilesOptions, imageFiles } from './image-files.js';
export { type Inspection, type InspectOptions, inspect } from './inspect.js';
export { readNpy, writeNpy } from './npy.js';
export type { DataSides } from './open-archive.js';
export { type EmojiOptions, emoji } from './sets/emoji.js';
export { type FashionMnistOptions, fashionMnist } from './sets/fashion-mnist.js';
export { type DataSetName, type DataSetOptions, type OpenDataOptions, openData } from './sets/open.js';
export { type BatchOptions, type ReadOptions, type Source, sourceOf, subset } from './source.js';
export {
  type ClassSplitOptions,
  type SampleSplitOptions,
  type Split,
  splitByClass,
  splitBySample,
} from './splits.js';
export type { TransformOptions } from './transforms.js';
