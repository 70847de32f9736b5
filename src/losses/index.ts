export { type ContrastiveOptions, contrastive } from './contrastive.js';
export type { LossConfig, MetricLoss, PairLoss } from './metric-loss.js';
export { type MultiSimilarityOptions, multiSimilarity } from './multi-similarity.js';
export { type NtXentOptions, ntXent } from './nt-xent.js';
export { type ProxyAnchorOptions, proxyAnchor } from './proxy-anchor.js';
export { type TripletMarginOptions, type TripletMining, tripletMargin } from './triplet-margin.js';
