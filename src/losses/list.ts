import { contrastivePart } from './contrastive.js';
import { multiSimilarityPart } from './multi-similarity.js';
import { ntXentPart } from './nt-xent.js';
import { proxyAnchorPart } from './proxy-anchor.js';
import { tripletMarginPart } from './triplet-margin.js';

/** Every loss that a configuration can name; a new one is one more line. */
export const LOSSES = [proxyAnchorPart, tripletMarginPart, contrastivePart, multiSimilarityPart, ntXentPart] as const;
