import type { Layer } from '../layers.js';

/**
 * What embeddings depend on beside weights, as a file of them says it: what pixels go through first, and how the last maps are
 * pooled.
 */
export function describedBy(layers: readonly Layer[]): Record<string, string> {
  const [first] = layers;
  const preprocessing = first?.type === 'normalise' ? JSON.stringify(first) : 'none';
  const pool = layers.findLast((layer) => layer.type === 'mean-pool' || layer.type === 'sum');
  return { preprocessing, pooling: pool?.type === 'sum' ? 'gap+gmp' : 'gap' };
}
