import { z } from 'zod';
import { EatDmlError, invalid, inWordsOf } from '../../errors.js';
import { joined } from '../../joined.js';
import { type Matrix, pairwiseDistance } from '../../kernels/index.js';
import { checkMatrix, rowsFrom } from '../../kernels/matrix.js';
import { int32Array, parse, parseOptions } from '../../options.js';
import { ALONE, type Sharing } from '../../sharing.js';
import { type RankingName, rankingName } from './names.js';
import { type CleanRanking, cleanRanking } from './selections.js';

/** What RobRank reports under its attacks; percentiles and recalls in percent. */
export interface RankingScores {
  /** Percentile rank of what was raised (50 undefended at chance, 0 reached). */
  'CA+': number;
  /** Percentile rank of what was lowered. */
  'CA-': number;
  'QA+': number;
  'QA-': number;
  /** Cosine similarity with the target. */
  TMA: number;
  /** Mean Euclidean shift of the embedding, 0 to 2. */
  'ES:D': number;
  /** Recall@1 under ES, LTM and GTM. */
  'ES:R': number;
  LTM: number;
  GTM: number;
  /** The nearest stays among the nearest four. */
  GTT: number;
}

const score = z.number();
const rankingScores = z.strictObject({
  ...{ 'CA+': score, 'CA-': score, 'QA+': score, 'QA-': score, TMA: score },
  ...{ 'ES:D': score, 'ES:R': score, LTM: score, GTM: score, GTT: score },
});

/** Empirical robustness score (Zhou et al., 2021): the mean of the ten, each scaled to 0 (worst) .. 100. */
export function empiricalRobustnessScore(scores: RankingScores): number {
  const s = parseOptions(rankingScores, scores, 'scores');
  const scaled = [
    ...[2 * s['CA+'], 100 - s['CA-'], 2 * s['QA+'], 100 - s['QA-']],
    ...[100 * (1 - s.TMA), 50 * (2 - s['ES:D']), s['ES:R'], s.LTM, s.GTM, s.GTT],
  ];
  return scaled.reduce((sum, value) => sum + value, 0) / scaled.length;
}

/** Everything a measure may need of one attack. */
export interface RankingOutcome {
  /** Attacked embeddings, a row per sample. */
  attacked: Matrix;
  clean: Matrix;
  gallery: Matrix;
  ranking: CleanRanking;
  targets: Int32Array;
}

/** Looked at by {@link checkMatrix}. */
const matrix = z.custom<Matrix>(() => true);

const rankingOutcome = z.strictObject({
  attacked: matrix,
  clean: matrix,
  gallery: matrix,
  ranking: cleanRanking,
  targets: int32Array('an Int32Array of gallery rows'),
});

/** The measures that one attack gives, by their names in {@link RankingScores}. */
export async function rankingMeasures(name: RankingName, outcome: RankingOutcome): Promise<Partial<RankingScores>> {
  return rankingMeasuresShared(name, outcome, ALONE);
}

/** {@link rankingMeasures}, the samples of which are shared out: what one comes to does not depend on others. */
export async function rankingMeasuresShared(
  name: RankingName,
  outcome: RankingOutcome,
  sharing: Sharing,
): Promise<Partial<RankingScores>> {
  parse(rankingName, name, 'name');
  const checked = checkOutcome(name, outcome);
  const { rows } = checked.attacked;
  const parts = await sharing.parts(`ranking measures ${name}`, rows, (begin, end) => {
    return measuredEach(name, checked, begin, end);
  });
  const mean = (measure: keyof RankingScores) =>
    joined(parts.map((part) => part[measure]!)).reduce((sum, value) => sum + value, 0) / rows;
  const inPercent = (measure: keyof RankingScores) => (measure === 'TMA' || measure === 'ES:D' ? 1 : 100);
  const measures = Object.keys(parts[0]) as (keyof RankingScores)[];
  return Object.fromEntries(measures.map((measure) => [measure, inPercent(measure) * mean(measure)]));
}

/** By the measures of an attack what each sample from `begin` to before `end` comes to. */
async function measuredEach(
  name: RankingName,
  { attacked, clean, gallery, ranking, targets }: RankingOutcome,
  begin: number,
  end: number,
): Promise<Partial<Record<keyof RankingScores, Float64Array>>> {
  const each = (of: (i: number) => number) => Float64Array.from({ length: end - begin }, (_, i) => of(begin + i));
  const row = ({ data, cols }: Matrix, i: number) => data.subarray(i * cols, (i + 1) * cols);
  if (name === 'TMA') return { TMA: each((i) => dot(row(attacked, i), row(gallery, targets[i]))) };
  const distances = await distancesOf({ attacked: rowsFrom(attacked, begin, end) }, { gallery });
  const own = (i: number) => distances.subarray((i - begin) * gallery.rows, (i - begin + 1) * gallery.rows);
  const recall = () => each((i) => (nearest(own(i), ranking.self[i], 1).some(sameClass(ranking, i)) ? 1 : 0));
  if (name === 'ES') return { 'ES:D': each((i) => gap(row(attacked, i), row(clean, i))), 'ES:R': recall() };
  if (name === 'LTM' || name === 'GTM') return { [name]: recall() };
  if (name === 'GTT') return { GTT: each((i) => (nearest(own(i), ranking.self[i], 4).includes(targets[i]) ? 1 : 0)) };
  if (name.startsWith('QA')) return { [name]: each((i) => below(own(i), own(i)[targets[i]])) };
  const { cols } = gallery;
  const aimedAt = { data: new Float32Array((end - begin) * cols), rows: end - begin, cols };
  for (let i = begin; i < end; i++) aimedAt.data.set(row(gallery, targets[i]), (i - begin) * cols);
  const between = await distancesOf({ gallery: aimedAt }, { gallery });
  const ofTarget = (i: number) => between.subarray((i - begin) * gallery.rows, (i - begin + 1) * gallery.rows);
  return { [name]: each((i) => below(ofTarget(i), own(i)[targets[i]])) };
}

/** Euclidean distances [n, m] of two matrices, each under the name that errors call it by. */
async function distancesOf(a: Record<string, Matrix>, b: Record<string, Matrix>): Promise<Float32Array> {
  const [[nameA, rowsA], [nameB, rowsB]] = [...Object.entries(a), ...Object.entries(b)];
  const distances = await pairwiseDistance(rowsA, rowsB, { metric: 'euclidean' }).catch((error) => {
    throw inWordsOf(error, { 'in a': `in ${nameA}`, 'in b': `in ${nameB}` });
  });
  return distances.data;
}

function checkOutcome(name: RankingName, outcome: RankingOutcome): RankingOutcome {
  const parsed = parseOptions(rankingOutcome, outcome, 'outcome');
  const { attacked, clean, gallery, ranking, targets } = parsed;
  for (const [key, matrix] of Object.entries({ attacked, clean, gallery })) checkMatrix(`outcome.${key}`, matrix);
  const { rows, cols } = ranking;
  const shapes = { attacked: rows, clean: rows, gallery: cols };
  for (const [key, length] of Object.entries(shapes)) {
    const matrix = parsed[key as keyof typeof shapes];
    if (matrix.rows === length && matrix.cols === attacked.cols) continue;
    const message = `Expected outcome.${key} to be ${length} x ${attacked.cols}, as the ranking has it, but received`;
    throw new EatDmlError('ERR_ARGUMENT', `${message} ${matrix.rows} x ${matrix.cols}.`);
  }
  if (targets.length !== rows) throw invalid('outcome.targets', `${rows} gallery rows`, targets);
  const stray = targets.find((target) => target < (TARGETLESS.includes(name) ? -1 : 0) || target >= cols);
  if (stray !== undefined) throw invalid('outcome.targets', `rows of the gallery, 0 to ${cols - 1}`, stray);
  return parsed;
}

/** Attacks that are about no one row. */
const TARGETLESS: readonly RankingName[] = ['ES', 'LTM'];

/** Share of the distances that are smaller: the percentile rank. */
function below(distances: Float32Array, limit: number): number {
  return distances.reduce((count, d) => count + (d < limit ? 1 : 0), 0) / distances.length;
}

function nearest(distances: Float32Array, self: number, count: number): number[] {
  const order = Array.from(distances.keys()).filter((j) => j !== self);
  return order.sort((a, b) => distances[a] - distances[b]).slice(0, count);
}

function sameClass({ labels, queryLabels }: CleanRanking, i: number) {
  return (j: number) => labels[j] === queryLabels[i];
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, j) => sum + value * b[j], 0);
}

function gap(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, value, j) => sum + (value - b[j]) ** 2, 0));
}
