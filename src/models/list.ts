import { convPart } from './backbones/conv.js';
import { mobilenetV2Part } from './backbones/mobilenet-v2.js';
import { resnetPart } from './backbones/resnet.js';

/** Every kind of model that a configuration or a checkpoint can name; a new one is one more line. */
export const MODELS = [convPart, resnetPart, mobilenetV2Part] as const;
