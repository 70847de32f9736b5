export { type BackendName, chooseBackend } from '../tfjs/index.js';
export { type ConvEmbedderOptions, convEmbedder } from './backbones/conv.js';
export type { Embedder, EmbedImages, FrozenEmbedder, ImageShape, ModelSpec } from './embedder.js';
export { type EmbeddingMatrix, type EmbedOptions, Ensemble, type ImageSet } from './ensemble.js';
export { modelOfKind } from './model-kinds.js';
export type { TrainedOn } from './trained-on.js';
