import { actPart } from './act.js';
import { adpPart } from './adp.js';
import { atPart } from './at.js';
import { dvergePart } from './dverge.js';
import { eatPart } from './eat.js';
import { ensembleAtPart } from './ensemble-at.js';
import { estPart } from './est.js';
import { galPart } from './gal.js';
import { hmPart } from './hm.js';
import { standardPart } from './standard.js';
import { tradesPart } from './trades.js';

/** Every method that a configuration can name; a new one is one more line. */
export const METHODS = [
  standardPart,
  atPart,
  ensembleAtPart,
  tradesPart,
  estPart,
  actPart,
  hmPart,
  adpPart,
  galPart,
  dvergePart,
  eatPart,
] as const;
