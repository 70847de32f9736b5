import * as tf from '#tf';
import { plainObjective } from '../objective.js';

/** Away from the own clean embedding: |e(x') - e(x)|². Needs no labels. */
export const embeddingShiftPart = plainObjective('embedding-shift', 'away from the own clean embedding', () => ({
  joint: false,
  flatAtStart: true,
  bind({ clean }) {
    const origin = clean();
    return (embeddings) => tf.sum(tf.squaredDifference(embeddings, origin), 1);
  },
}));
