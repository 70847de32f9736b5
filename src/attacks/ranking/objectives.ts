import * as tf from '#tf';
import { checkLabels } from '../../checks.js';
import { invalid } from '../../errors.js';
import { parse } from '../../options.js';
import {
  type AttackGallery,
  type Objective,
  type ObjectiveInputs,
  requireGallery,
  requireLabels,
} from '../objective.js';
import { embeddingShiftPart } from '../objectives/embedding-shift.js';
import { meanRow, squaredDistances } from '../objectives/squared-distances.js';
import { type ErsRules, ersRules, type RankingName, rankingName } from './names.js';

/** Larger than any distance between unit rows. */
const FAR = 1e3;

/**
 * The ranking attacks of RobRank (Zhou et al., ECCV 2020 and CVPR 2022) on unit rows, d the Euclidean distance, x any
 * gallery row, t the selected one; each value is what the attack raises:
 * QA+ / QA-: -mean_x relu(+-(d(q,t) - d(q,x))), the query raises or lowers a candidate;
 * CA+ / CA-: -mean_x relu(+-(d(c,t) - d(x,t))), a candidate rises or falls before a query;
 * TMA: cos(q,t); GTM: -d(q,t); GTT: as QA- on the nearest; LTM: -relu(max d(q,other class) - min d(q,own class));
 * ES: the shift of the embedding.
 * Adapted: ES raises the squared shift, which has the same steps in linf, and begins at a random point.
 * `targets` has the gallery row for each gallery row's attack, as `selectTargets` gives it where samples are the gallery;
 * `rules` are those of {@link ErsRules}.
 */
export function rankingObjective(name: RankingName, targets: Int32Array, rules: ErsRules = 'corrected'): Objective {
  parse(rankingName, name, 'name');
  parse(ersRules, rules, 'rules');
  checkLabels('targets', targets);
  if (name === 'ES') return { ...embeddingShiftPart.make({}), name };
  return {
    name,
    joint: false,
    flatAtStart: name === 'GTT',
    bind(inputs) {
      const gallery = requireGallery(name, inputs);
      if (name === 'LTM') return learningToMisrank(inputs, gallery, rules);
      const goals = tf.gather(gallery.embeddings, tf.tensor1d(chosenRows(gallery, targets), 'int32'));
      if (name === 'TMA') return (e) => tf.sum(tf.mul(e, goals), 1);
      if (name === 'GTM') return (e) => tf.neg(rowDistances(e, goals));
      const sign = name.endsWith('+') ? 1 : -1;
      return name.startsWith('CA') ? candidateAttack(gallery, goals, sign) : queryAttack(gallery, goals, sign);
    },
  };
}

/** The row that each attacked image's attack is about. */
function chosenRows({ self, labels }: AttackGallery, targets: Int32Array): Int32Array {
  return self.map((row) => {
    const target = targets[row];
    if (target >= 0 && target < labels.length) return target;
    throw invalid(`targets[${row}]`, `a row of the gallery, 0 to ${labels.length - 1}`, target);
  });
}

function queryAttack({ embeddings }: AttackGallery, goals: tf.Tensor2D, sign: number) {
  return (queries: tf.Tensor2D) => {
    const toGoal = tf.expandDims(rowDistances(queries, goals), 1);
    const gaps = tf.mul(tf.sub(toGoal, allDistances(queries, embeddings)), sign);
    return tf.neg(tf.mean<tf.Tensor1D>(tf.relu(gaps), 1)) as tf.Tensor1D;
  };
}

function candidateAttack({ embeddings }: AttackGallery, goals: tf.Tensor2D, sign: number) {
  const others = allDistances(goals, embeddings);
  return (candidates: tf.Tensor2D) => {
    const toGoal = tf.expandDims(rowDistances(candidates, goals), 1);
    return tf.neg(tf.mean<tf.Tensor1D>(tf.relu(tf.mul(tf.sub(toGoal, others), sign)), 1)) as tf.Tensor1D;
  };
}

function learningToMisrank(inputs: ObjectiveInputs, { embeddings, labels, self }: AttackGallery, rules: ErsRules) {
  const classOf = requireLabels('LTM', inputs);
  const [n, m] = [classOf.length, labels.length];
  const [same, other] = [new Uint8Array(n * m), new Uint8Array(n * m)];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      if (labels[j] !== classOf[i]) other[i * m + j] = 1;
      else if (j !== self[i] || rules === 'robrank') same[i * m + j] = 1;
    }
  }
  const [isSame, isOther] = [same, other].map((mask) => tf.tensor2d(mask, [n, m], 'bool'));
  return (queries: tf.Tensor2D) => {
    const distances = allDistances(queries, embeddings);
    const nearestSame = tf.min(tf.where(isSame, distances, tf.fill([n, m], FAR)), 1);
    const farthestOther = tf.max(tf.where(isOther, distances, tf.zerosLike(distances)), 1);
    return tf.neg(tf.relu(tf.sub(farthestOther, nearestSame))) as tf.Tensor1D;
  };
}

function rowDistances(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor1D {
  return tf.sqrt(tf.maximum(tf.sum(tf.squaredDifference(a, b), 1), 1e-12));
}

/** `b` is the gallery, around whose mean all lie. */
function allDistances(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D {
  return tf.sqrt(tf.maximum(squaredDistances(a, b, meanRow(b)), 1e-12));
}
