import { emojiPart } from './emoji.js';
import { fashionMnistPart } from './fashion-mnist.js';
import { idxPart } from './idx.js';

/** Every data set that a configuration can name; a new one is one more line. */
export const DATA_SETS = [fashionMnistPart, idxPart, emojiPart] as const;
