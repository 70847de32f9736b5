/** Every kind of model that a configuration or a checkpoint can name; a new one is one more line. */
export { bnInceptionPart } from './backbones/bn-inception.js';
export { c2f2Part } from './backbones/c2f2.js';
export { convPart } from './backbones/conv.js';
export { mobilenetV2Part } from './backbones/mobilenet-v2.js';
export { resnet18Part, resnet50Part } from './backbones/resnet.js';
export { modulePart } from './module-model.js';
