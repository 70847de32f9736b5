import { cars196Part, cub200Part, folderPart, inShopPart, parquetPart, sopPart } from './archives.js';
import { emojiPart } from './emoji.js';
import { fashionMnistPart } from './fashion-mnist.js';
import { idxPart } from './idx.js';
import { npzPart } from './npz.js';

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
  parquetPart,
  npzPart,
] as const;
