export { type BnInceptionOptions, bnInception } from './backbones/bn-inception.js';
export { type C2f2Options, c2f2 } from './backbones/c2f2.js';
export { type ConvEmbedderOptions, convEmbedder } from './backbones/conv.js';
export { type MobilenetV2Options, mobilenetV2 } from './backbones/mobilenet-v2.js';
export { type ResnetOptions, resnet18, resnet50 } from './backbones/resnet.js';
export type { Embedder, EmbedImages, FrozenEmbedder, ImageShape, ModelSpec, TrainingMode } from './embedder.js';
export { type EmbedOptions, Ensemble, type ImageSet } from './ensemble.js';
export {
  type ForeignOptions,
  type FunctionOptions,
  fromFunction,
  fromGraphModel,
  fromLayersModel,
  type GraphModelLike,
  type GraphModelOptions,
} from './foreign.js';
export type { NormSet } from './norm-sets.js';
export type { TrainedOn } from './trained-on.js';
