import * as tf from '@tensorflow/tfjs';
import type { Objective } from '../objective.js';

/** Away from the own clean embedding: |e(x') - e(x)|². Needs no labels. */
export const embeddingShift: Objective = {
  name: 'embedding-shift',
  joint: false,
  flatAtStart: true,
  bind({ clean }) {
    const origin = clean();
    return (embeddings) => tf.sum(tf.squaredDifference(embeddings, origin), 1);
  },
};
