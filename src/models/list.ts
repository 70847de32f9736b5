import { bnInceptionPart } from './backbones/bn-inception.js';
import { convPart } from './backbones/conv.js';
import { mobilenetV2Part } from './backbones/mobilenet-v2.js';
import { resnet18Part, resnet50Part } from './backbones/resnet.js';

/** Every kind of model that a configuration or a checkpoint can name; a new one is one more line. */
export const MODELS = [convPart, resnet18Part, resnet50Part, mobilenetV2Part, bnInceptionPart] as const;
