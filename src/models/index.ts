export { type ConvEmbedderOptions, convEmbedder } from './conv-embedder.js';
export type { Embedder, EmbedImages, FrozenEmbedder, ImageShape, ModelSpec } from './embedder.js';
export { type EmbedOptions, Ensemble, type ImageSet } from './ensemble.js';
export type { TrainedOn } from './trained-on.js';
