/** Every method that a configuration can name; a new one is one more line. */
export { actPart } from './act.js';
export { adpPart } from './adp.js';
export { atPart } from './at.js';
export { dvergePart } from './dverge.js';
export { eatPart } from './eat.js';
export { eatHeadsPart } from './eat-heads.js';
export { ensembleAtPart } from './ensemble-at.js';
export { estPart } from './est.js';
export { galPart } from './gal.js';
export { hmPart } from './hm.js';
export { standardPart } from './standard.js';
export { tradesPart } from './trades.js';
