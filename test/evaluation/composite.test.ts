import { describe, expect, it } from 'vitest';
import { clusteringScores, retrievalScores } from '../../src/clustering/index.js';
import { retrieve } from '../../src/clustering/retrieval-scores.js';
import { CompositeAttack } from '../../src/evaluation/composite.js';
import { lowestNmi } from '../../src/evaluation/contingency-choice.js';
import { MeasuredSet } from '../../src/evaluation/measured-set.js';
import { randomStream } from '../../src/random.js';

const line = (values: number[]) => ({ data: Float32Array.from(values), rows: values.length, cols: 1 });

/** Six of either class, far from each other, and spread so that neighbours are never equally far. */
const LABELS = Int32Array.from({ length: 12 }, (_, i) => (i < 6 ? 0 : 1));
const home = (i: number) => (LABELS[i] === 0 ? 0 : 10) + 0.01 * i * i;
const CLEAN = Array.from(LABELS, (_, i) => home(i));
/** The clean set with some images among the other class. */
const crossing = (those: number[]) =>
  CLEAN.map((x, i) => (those.includes(i) ? (LABELS[i] === 0 ? x + 10 : x - 10) : x));
const scoring = { k: 2, seed: 1, clusterRestarts: 5 };

async function compositeOf(sets: number[][], gallery?: number[]) {
  const looked = gallery && { embeddings: line(gallery), labels: Int32Array.of(0, 1), own: false };
  const clean = new MeasuredSet(line(CLEAN), LABELS, scoring, looked);
  const attack = new CompositeAttack(clean, scoring, sets.length + 1);
  await attack.add('clean', clean);
  for (const [i, set] of sets.entries()) await attack.add(`set ${i}`, clean.moved(line(set)));
  const { set, from } = await attack.chosen();
  await attack.dispose();
  return { scores: await set.scores(), from, set };
}

describe('the composite attack', () => {
  it('takes each image from the set where it does most: clusters of two halves, and no query finds its class', async () => {
    const [a, b] = [crossing([0, 1, 2]), crossing([6, 7, 8])];
    const alone = await Promise.all(
      [a, b].map((set) => new MeasuredSet(line(CLEAN), LABELS, scoring).moved(line(set)).scores()),
    );
    for (const { nmi, recallAt1 } of alone) {
      expect(nmi).toBeGreaterThan(0.2);
      expect(recallAt1).toBe(0.75);
    }
    const { scores, from } = await compositeOf([a, b]);
    // Each cluster has three of either class.
    expect(scores.nmi).toBeCloseTo(0, 6);
    expect(scores.recallAt1).toBe(0.5);
    expect(Object.values(from).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
    expect(from['set 0']).toBeGreaterThan(0);
    expect(from['set 1']).toBeGreaterThan(0);
  });

  it('is the score of a real clustering of images that were found', async () => {
    const sets = [crossing([0, 3]), crossing([1, 9, 10]), crossing([4, 5, 7])];
    const { scores, set } = await compositeOf(sets);
    for (const [i, x] of set.embeddings.data.entries()) {
      expect([CLEAN, ...sets].map((other) => Math.fround(other[i]))).toContain(x);
    }
    const again = new MeasuredSet(line(CLEAN), LABELS, scoring).moved(set.embeddings);
    expect((await again.scores()).nmi).toBe(scores.nmi);
    for (const other of sets) {
      const alone = await again.moved(line(other)).scores();
      expect(scores.nmi).toBeLessThanOrEqual(alone.nmi!);
    }
  });

  it('leaves the images of a gallery where they are, and counts them', async () => {
    const { scores } = await compositeOf([crossing([0, 1, 2]), crossing([6, 7, 8])], [0.2, 10.2]);
    // Fourteen images: of the two in the gallery each class has one, which stays.
    expect(scores.nmi).toBeCloseTo(
      clusteringScores([...LABELS, 0, 1], [0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0]).nmi,
      6,
    );
  });

  it('leaves a set alone that nothing makes worse', async () => {
    const { scores, from } = await compositeOf([CLEAN.map((x) => x + 0.001)]);
    expect(scores.nmi).toBe(1);
    expect(from).toEqual({ clean: 1 });
  });
});

describe('lowestNmi', () => {
  it('ends where no single image lowers the NMI, however small', () => {
    const random = randomStream(5, 'choices');
    for (let trial = 0; trial < 20; trial++) {
      const draw = (count: number, below: number) => Int32Array.from({ length: count }, () => random.integer(below));
      const classes = draw(14, 3);
      const fixed = { classes: draw(4, 3), clusters: draw(4, 4) };
      const clusters = [draw(14, 4), draw(14, 4), draw(14, 4)];
      const nmiOf = (chosen: Int32Array) => {
        const own = Array.from(chosen, (choice, i) => clusters[choice][i]);
        return clusteringScores([...classes, ...fixed.classes], [...own, ...fixed.clusters]).nmi;
      };
      const chosen = new Int32Array(14);
      const before = nmiOf(chosen);
      lowestNmi({ classes, clusters, fixed }, chosen, randomStream(trial, 'order'));
      const reached = nmiOf(chosen);
      expect(reached).toBeLessThan(before);
      for (const i of chosen.keys()) {
        for (const choice of [0, 1, 2]) {
          const other = chosen.slice();
          other[i] = choice;
          expect(nmiOf(other)).toBeGreaterThanOrEqual(reached - 1e-9);
        }
      }
    }
  });
});

describe('searches that were each the worst', () => {
  it('take every measure of every query from the set that has it lowest', async () => {
    // 0: found first here, third there; the other way round for 3.
    const labels = Int32Array.of(0, 0, 1, 1, 1);
    const gallery = { embeddings: line([0, 1, 4, 5, 7]), labels, selfIndex: 'same-row' as const };
    const sets = [line([0.1, 1.1, 2, 3, 3.9]), line([4.4, 1, 4, 5, 6.8])];
    const each = await Promise.all(sets.map((set) => retrieve(set, labels, { gallery })));
    const clean = new MeasuredSet(gallery.embeddings, labels, scoring);
    const worst = clean.moved(sets[0]).searchedAsWorst(each.map(({ found }) => found));
    const scores = await worst.scores();
    const perQuery = async (set: (typeof sets)[0], i: number) => {
      const one = { data: set.data.slice(i, i + 1), rows: 1, cols: 1 };
      return retrievalScores(one, labels.slice(i, i + 1), { gallery: { ...gallery, selfIndex: [i] } });
    };
    let [first, second, precision] = [0, 0, 0];
    for (const i of labels.keys()) {
      const [a, b] = await Promise.all(sets.map((set) => perQuery(set, i)));
      first += Math.min(a.recallAt[1], b.recallAt[1]) / 5;
      second += Math.min(a.recallAt[2], b.recallAt[2]) / 5;
      precision += Math.min(a.mapAtR, b.mapAtR) / 5;
    }
    expect(scores.recallAt1).toBeCloseTo(first, 10);
    expect(scores.recallAt2).toBeCloseTo(second, 10);
    expect(scores.mapAtR).toBeCloseTo(precision, 10);
    expect(scores.recallAt1).toBeLessThan(Math.min(...each.map((found) => found.scores.recallAt[1])));
  });
});
