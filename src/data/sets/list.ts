import { cars196Part, cub200Part, folderPart, inShopPart, sopPart } from './archives.js';
import { emojiPart } from './emoji.js';
import { fashionMnistPart } from './fashion-mnist.js';
import { idxPart } from './idx.js';

/** Every data set that a configuration can name; a new one is one more line. */
export const DATA_SETS = [
  fashionMnistPart,
  idxPart,
  emojiPart,
  cub200Part,
  cars196Part,
  inShopPart,
  sopPart,
  folderPart,
] as const;
