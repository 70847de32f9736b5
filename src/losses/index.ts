export type { MetricLoss } from './metric-loss.js';
export { type ProxyAnchorOptions, proxyAnchor } from './proxy-anchor.js';
