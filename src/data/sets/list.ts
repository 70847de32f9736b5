/** Every data set that a configuration can name; a new one is one more line. */
export { cars196Part, cub200Part, folderPart, inShopPart, parquetPart, sopPart } from './archives.js';
export { emojiPart } from './emoji.js';
export { fashionMnistPart } from './fashion-mnist.js';
export { idxPart } from './idx.js';
export { npzPart } from './npz.js';
