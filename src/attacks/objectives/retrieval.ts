import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { count, positive } from '../../options.js';
import {
  type AttackGallery,
  type ObjectiveInputs,
  objectivePart,
  requireGallery,
  requireLabels,
} from '../objective.js';

const options = z.strictObject({
  temperature: positive
    .default(0.02)
    .describe('of the cosine similarities: the lower, the more the nearest alone count'),
  towards: count
    .optional()
    .describe(
      'only the other class whose nearest image is so manieth nearest to the clean one: 1, 2, ... (default all)',
    ),
});

/** Leaves nothing of a similarity: far below any over a temperature that is used. */
const NOTHING = -1e6;

/**
 * Other classes' clean images before those of the own class, the own image left out:
 * T log Σ_{x of others} e^{s(e,x)/T} - T log Σ_{x of its class} e^{s(e,x)/T}, nearly the nearest of each. What retrieval of attacked
 * queries in a clean gallery is lost by.
 */
export const retrievalPart = objectivePart(
  'retrieval',
  'nearest clean images of other classes before those of the own',
  options,
  ({ temperature, towards }, name) => ({
    joint: false,
    flatAtStart: false,
    leastClasses: 2,
    searches: true,
    bind(inputs) {
      const compare = compared(name, inputs, towards);
      return (embeddings) => {
        const soft = compare(embeddings, temperature, (sharp) => tf.logSumExp(sharp, 1));
        return tf.mul(soft, temperature);
      };
    },
    lost(inputs) {
      const compare = compared(name, inputs);
      return (embeddings) => compare(embeddings, 1, (similarities) => tf.max(similarities, 1));
    },
  }),
);

/** What `size` makes of the similarities, over a temperature, to other classes' images, less what it makes of those to the own, [n]. */
function compared(name: string, inputs: ObjectiveInputs, towards?: number) {
  const gallery = requireGallery(name, inputs);
  const labels = requireLabels(name, inputs);
  const goals = towards === undefined ? undefined : goalsOf(inputs.clean(), labels, gallery, towards);
  const { own, other } = masks(labels, gallery, goals);
  return (embeddings: tf.Tensor2D, temperature: number, size: (sharp: tf.Tensor2D) => tf.Tensor): tf.Tensor1D => {
    const sharp = tf.div<tf.Tensor2D>(tf.matMul(embeddings, gallery.embeddings, false, true), temperature);
    const [ofOthers, ofOwn] = [other, own].map((mask) => size(tf.add(sharp, mask)));
    return tf.sub(ofOthers, ofOwn);
  };
}

/** Of each image the other class whose nearest image is the `towards`-th nearest; where there are fewer, the count begins anew. */
function goalsOf(clean: tf.Tensor2D, classOf: Int32Array, { embeddings, labels }: AttackGallery, towards: number) {
  const similarities = tf.tidy(() => tf.matMul(clean, embeddings, false, true).dataSync() as never) as Float32Array;
  const m = labels.length;
  return classOf.map((own, i) => {
    const nearest = new Map<number, number>();
    for (let j = 0; j < m; j++) {
      if (labels[j] === own) continue;
      nearest.set(labels[j], Math.max(nearest.get(labels[j]) ?? -Infinity, similarities[i * m + j]));
    }
    const order = [...nearest].sort(([, a], [, b]) => b - a);
    return order.length > 0 ? order[(towards - 1) % order.length][0] : own;
  });
}

/** 0 where a gallery row counts for an image, {@link NOTHING} elsewhere, [n, m]; of the others only those of its goal's class. */
function masks(classOf: Int32Array, { labels, self }: AttackGallery, goals?: Int32Array) {
  const [n, m] = [classOf.length, labels.length];
  const [own, other] = [new Float32Array(n * m).fill(NOTHING), new Float32Array(n * m).fill(NOTHING)];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      if (labels[j] !== classOf[i]) other[i * m + j] = !goals || goals[i] === labels[j] ? 0 : NOTHING;
      else if (j !== self[i]) own[i * m + j] = 0;
    }
  }
  return { own: tf.tensor2d(own, [n, m]), other: tf.tensor2d(other, [n, m]) };
}
