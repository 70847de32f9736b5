import { z } from 'zod';
import * as tf from '#tf';
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
  const { own, other } = masks(labels, gallery);
  const aimed = towards === undefined ? other : tf.tidy(() => aimedAt(inputs.clean(), labels, gallery, towards));
  return (embeddings: tf.Tensor2D, temperature: number, size: (sharp: tf.Tensor2D) => tf.Tensor): tf.Tensor1D => {
    const sharp = tf.div<tf.Tensor2D>(tf.matMul(embeddings, gallery.embeddings, false, true), temperature);
    const [ofOthers, ofOwn] = [aimed, own].map((mask) => size(tf.add(sharp, mask)));
    return tf.sub(ofOthers, ofOwn);
  };
}

/** {@link masks}'s of the others with only those of the class that {@link goalsOf} gives. */
function aimedAt(clean: tf.Tensor2D, classOf: Int32Array, gallery: AttackGallery, towards: number): tf.Tensor2D {
  const goals = goalsOf(clean, classOf, gallery, towards);
  const labels = tf.tensor1d(gallery.labels, 'int32');
  const foreign = tf.logicalNot(sameClass(tf.tensor1d(classOf, 'int32'), labels));
  const counts = tf.logicalAnd(sameClass(goals, labels), foreign);
  return tf.where(counts, 0, tf.fill(counts.shape, NOTHING)) as tf.Tensor2D;
}

/**
 * Of each image the other class whose nearest image is the `towards`-th nearest; where there are fewer, the count begins anew. Found on
 * the device, by taking the nearest class away as often as that.
 */
function goalsOf(clean: tf.Tensor2D, classOf: Int32Array, { embeddings, labels }: AttackGallery, towards: number) {
  const rowsOf = new Map<number, number[]>();
  for (const [row, label] of labels.entries()) {
    const rows = rowsOf.get(label);
    if (rows) rows.push(row);
    else rowsOf.set(label, [row]);
  }
  // One class after the other, so that of classes as near the one is taken that is there first.
  const order = [...rowsOf.values()].flat();
  const columns = tf.tensor1d(
    order.map((row) => labels[row]),
    'int32',
  );
  const turns = Array.from(classOf, (own) => {
    const others = rowsOf.size - (rowsOf.has(own) ? 1 : 0);
    return others === 0 ? 0 : (towards - 1) % others;
  });
  const rows = tf.gather(embeddings, tf.tensor1d(order, 'int32'));
  const similarities = tf.matMul(clean, rows, false, true);
  const gone = tf.fill(similarities.shape, -Infinity);
  let goals = tf.tensor1d(classOf, 'int32');
  let left = tf.where(sameClass(goals, columns), gone, similarities);
  for (let turn = 0; turn <= turns.reduce((a, b) => Math.max(a, b)); turn++) {
    const nearest = tf.gather(columns, tf.argMax(left, 1) as tf.Tensor1D);
    const last = tf.tensor1d(
      Uint8Array.from(turns, (end) => (end === turn ? 1 : 0)),
      'bool',
    );
    goals = tf.where(last, nearest, goals);
    left = tf.where(sameClass(nearest, columns), gone, left);
  }
  return goals;
}

/** Of images [n] and gallery rows [m], [n, m]. */
function sameClass(images: tf.Tensor1D, rows: tf.Tensor1D): tf.Tensor2D {
  return tf.equal(tf.expandDims(images, 1), tf.expandDims(rows, 0));
}

/** 0 where a gallery row counts for an image, {@link NOTHING} elsewhere, [n, m]. */
function masks(classOf: Int32Array, { labels, self }: AttackGallery) {
  const [n, m] = [classOf.length, labels.length];
  const [own, other] = [new Float32Array(n * m).fill(NOTHING), new Float32Array(n * m).fill(NOTHING)];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      if (labels[j] !== classOf[i]) other[i * m + j] = 0;
      else if (j !== self[i]) own[i * m + j] = 0;
    }
  }
  return { own: tf.tensor2d(own, [n, m]), other: tf.tensor2d(other, [n, m]) };
}
