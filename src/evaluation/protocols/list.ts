import { inductivePart } from './inductive.js';
import { partialPart } from './partial.js';
import { perSamplePart } from './per-sample.js';
import { recallPart } from './recall.js';
import { transductivePart } from './transductive.js';
import { transferPart } from './transfer.js';

/** Every protocol, in the order of a report; a new one is one more line. Their options are keys of an evaluation. */
export const PROTOCOLS = [
  perSamplePart,
  transductivePart,
  inductivePart,
  recallPart,
  partialPart,
  transferPart,
] as const;
