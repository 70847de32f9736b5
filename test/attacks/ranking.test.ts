import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  empiricalRobustnessScore,
  RANKING_NAMES,
  type RankingName,
  type RankingScores,
  rankingMeasures,
  rankingObjective,
  selectTargets,
} from '../../src/attacks/index.js';
import { randomStream } from '../../src/random.js';

const random = randomStream(4, 'ranking');
const unit = () => {
  const row = Array.from({ length: 3 }, () => random.normal());
  return row.map((x) => x / Math.hypot(...row));
};
const M = 9;
const gallery = Array.from({ length: M }, unit);
const moved = Array.from({ length: M }, unit);
const labels = Int32Array.from({ length: M }, (_, i) => i % 3);
const self = Int32Array.from({ length: M }, (_, i) => i);
const gap = (a: number[], b: number[]) => Math.hypot(...a.map((x, j) => x - b[j]));
const matrix = (rows: number[][]) => ({ data: Float32Array.from(rows.flat()), rows: rows.length, cols: 3 });
const ranking = {
  distances: Float32Array.from(gallery.flatMap((a) => gallery.map((b) => gap(a, b)))),
  rows: M,
  cols: M,
  queryLabels: labels,
  labels,
  self,
};
const targetsOf = (name: RankingName) => selectTargets(name, ranking, randomStream(2, name));
const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const relu = (x: number) => Math.max(0, x);

beforeAll(() => tf.setBackend('cpu'));

/** What each attack raises, for sample i at `q`, written down from the definitions. */
const FORMULAS: Record<RankingName, (q: number[], i: number, t: number) => number> = {
  'QA+': (q, _, t) => -mean(gallery.map((x) => relu(gap(q, gallery[t]) - gap(q, x)))),
  'QA-': (q, _, t) => -mean(gallery.map((x) => relu(gap(q, x) - gap(q, gallery[t])))),
  'CA+': (q, _, t) => -mean(gallery.map((x) => relu(gap(q, gallery[t]) - gap(x, gallery[t])))),
  'CA-': (q, _, t) => -mean(gallery.map((x) => relu(gap(x, gallery[t]) - gap(q, gallery[t])))),
  TMA: (q, _, t) => q.reduce((sum, x, j) => sum + x * gallery[t][j], 0),
  ES: (q, i) => gap(q, gallery[i]) ** 2,
  GTM: (q, _, t) => -gap(q, gallery[t]),
  GTT: (q, _, t) => -mean(gallery.map((x) => relu(gap(q, x) - gap(q, gallery[t])))),
  LTM: (q, i) => {
    const others = gallery.filter((_, j) => labels[j] !== labels[i]).map((x) => gap(q, x));
    const same = gallery.filter((_, j) => labels[j] === labels[i] && j !== i).map((x) => gap(q, x));
    return -relu(Math.max(...others) - Math.min(...same));
  },
};

describe('ranking objectives, against their definitions', () => {
  it.each(RANKING_NAMES)('%s', (name) => {
    const targets = targetsOf(name);
    // A batch in another order than the gallery: targets go by the samples' own rows.
    const batch = [4, 1, 7];
    const values = tf.tidy(() => {
      const inputs = {
        clean: () => tf.tensor2d(batch.map((i) => gallery[i])),
        labels: Int32Array.from(batch, (i) => labels[i]),
        gallery: { embeddings: tf.tensor2d(gallery), labels, self: Int32Array.from(batch) },
        random: randomStream(1),
      };
      return Array.from(
        rankingObjective(name, targets)
          .bind(inputs)(tf.tensor2d(batch.map((i) => moved[i])))
          .dataSync(),
      );
    });
    batch.forEach((i, at) => {
      expect(values[at]).toBeCloseTo(FORMULAS[name](moved[i], i, targets[i]), 4);
    });
  });

  it('want a gallery', () => {
    const inputs = { clean: () => tf.zeros([1, 3]) as tf.Tensor2D, random: randomStream(1) };
    expect(() => rankingObjective('QA+', Int32Array.of(0)).bind(inputs)).toThrow(/gallery.*QA\+/);
  });
});

describe('targets', () => {
  it('GTM: the nearest of another class; GTT and QA-: the nearest but itself; CA+: any', () => {
    const order = (i: number) =>
      [...self].filter((j) => j !== i).sort((a, b) => gap(gallery[i], gallery[a]) - gap(gallery[i], gallery[b]));
    for (const i of self) {
      expect(targetsOf('GTM')[i]).toBe(order(i).find((j) => labels[j] !== labels[i]));
      expect(targetsOf('GTT')[i]).toBe(order(i)[0]);
      expect(targetsOf('QA-')[i]).toBe(order(i)[0]);
    }
    expect(new Set(targetsOf('CA+')).size).toBeGreaterThan(1);
  });
});

describe('measures', () => {
  const outcome = (name: RankingName, attacked: number[][]) => ({
    attacked: matrix(attacked),
    clean: matrix(gallery),
    gallery: matrix(gallery),
    ranking,
    targets: targetsOf(name),
  });

  it('QA: the percentile of the target in the query’s ranking; CA: of the candidate in the target’s', async () => {
    const qa = await rankingMeasures('QA+', outcome('QA+', moved));
    const ca = await rankingMeasures('CA+', outcome('CA+', moved));
    const share = (limit: number, all: number[]) => (100 * all.filter((d) => d < limit - 1e-6).length) / M;
    const qaTargets = targetsOf('QA+');
    const caTargets = targetsOf('CA+');
    expect(qa['QA+']).toBeCloseTo(
      mean(
        moved.map((q, i) =>
          share(
            gap(q, gallery[qaTargets[i]]),
            gallery.map((x) => gap(q, x)),
          ),
        ),
      ),
      3,
    );
    const ofTarget = (i: number) => gallery.map((x) => gap(x, gallery[caTargets[i]]));
    expect(ca['CA+']).toBeCloseTo(mean(moved.map((c, i) => share(gap(c, gallery[caTargets[i]]), ofTarget(i)))), 3);
  });

  it('without an attack: GTT retains all, nothing shifts', async () => {
    expect(await rankingMeasures('GTT', outcome('GTT', gallery))).toEqual({ GTT: 100 });
    const { 'ES:D': shift } = await rankingMeasures('ES', outcome('ES', gallery));
    expect(shift).toBe(0);
  });

  it('ERS: 100 where nothing moves, as RobRank scales its ten parts', () => {
    const best: RankingScores = {
      ...{ 'CA+': 50, 'CA-': 0, 'QA+': 50, 'QA-': 0, TMA: 0 },
      ...{ 'ES:D': 0, 'ES:R': 100, LTM: 100, GTM: 100, GTT: 100 },
    };
    expect(empiricalRobustnessScore(best)).toBeCloseTo(100, 10);
    const worst = { 'CA+': 0, 'CA-': 100, 'QA+': 0, 'QA-': 100, TMA: 1, 'ES:D': 2, 'ES:R': 0, LTM: 0, GTM: 0, GTT: 0 };
    expect(empiricalRobustnessScore(worst)).toBeCloseTo(0, 10);
    expect(empiricalRobustnessScore({ ...worst, 'CA+': 10, 'ES:D': 1 })).toBeCloseTo((20 + 50) / 10, 10);
  });
});
