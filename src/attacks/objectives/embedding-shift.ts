import * as tf from '@tensorflow/tfjs';
import { type Objective, type ObjectiveInputs, plainObjective } from '../objective.js';

/** Away from the own clean embedding: |e(x') - e(x)|². Needs no labels. */
export const embeddingShift = {
  name: 'embedding-shift' as const,
  joint: false,
  flatAtStart: true,
  bind({ clean }: ObjectiveInputs) {
    const origin = clean();
    return (embeddings) => tf.sum(tf.squaredDifference(embeddings, origin), 1);
  },
} satisfies Objective;

export const embeddingShiftPart = plainObjective('away from the own clean embedding', embeddingShift);
