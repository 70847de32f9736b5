/** Every protocol; a new one is one more line. Their options are keys of an evaluation. */
export { inductivePart } from './inductive.js';
export { partialPart } from './partial.js';
export { perSamplePart } from './per-sample.js';
export { recallPart } from './recall.js';
export { transductivePart } from './transductive.js';
export { transferPart } from './transfer.js';
