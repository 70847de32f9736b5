/** Every loss that a configuration can name; a new one is one more line. */
export { contrastivePart } from './contrastive.js';
export { multiSimilarityPart } from './multi-similarity.js';
export { ntXentPart } from './nt-xent.js';
export { proxyAnchorPart } from './proxy-anchor.js';
export { tripletMarginPart } from './triplet-margin.js';
