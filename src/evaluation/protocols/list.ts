/** Every protocol; a new one is one more line. Their options are keys of an evaluation. */
export { inductivePart } from './inductive.js';
export { intervalsPart } from './intervals.js';
export { partialPart } from './partial.js';
export { perClassPart } from './per-class.js';
export { perSamplePart } from './per-sample.js';
export { rankingPart } from './ranking.js';
export { recallPart } from './recall.js';
export { transductivePart } from './transductive.js';
export { transferPart } from './transfer.js';
