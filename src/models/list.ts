import { convPart } from './backbones/conv.js';

/** Every kind of model that a configuration or a checkpoint can name; a new one is one more line. */
export const MODELS = [convPart] as const;
