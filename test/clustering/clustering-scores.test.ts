import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ClusteringScores, clusteringScores } from '../../src/clustering/clustering-scores.js';
import edges from '../goldens/clustering-edges.json' with { type: 'json' };
import goldens from '../goldens/metrics.json' with { type: 'json' };

const labelling = (names: number) =>
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: names }), fc.integer({ min: 0, max: names })), {
      minLength: 1,
      maxLength: 60,
    })
    .map((pairs) => [pairs.map((p) => p[0]), pairs.map((p) => p[1])] as const);

function expectScores(actual: ClusteringScores, expected: Partial<ClusteringScores>): void {
  for (const [name, value] of Object.entries(expected)) {
    expect(Math.abs(actual[name as keyof ClusteringScores] - value), name).toBeLessThan(1e-9);
  }
}

describe('against scikit-learn', () => {
  test.each(goldens.clustering.map((golden, i) => [i, golden] as const))('golden %i', (_, golden) => {
    const { labels, clusters, nmiArithmetic, ...rest } = golden;
    expect(Object.keys(rest)).toHaveLength(9);
    expectScores(clusteringScores(labels, clusters), { nmi: nmiArithmetic, ...rest });
  });

  test.each(edges.clustering.map((edge) => [edge.name, edge] as const))('%s', (_, edge) => {
    const { name, labels, clusters, ...scores } = edge;
    expect(Object.keys(scores)).toHaveLength(11);
    expectScores(clusteringScores(labels, clusters), scores);
  });
});

describe('properties', () => {
  test('no score depends on the names of classes and clusters', () => {
    fc.assert(
      fc.property(labelling(5), fc.array(fc.integer(), { minLength: 6, maxLength: 6 }), ([labels, clusters], names) => {
        fc.pre(new Set(names).size === names.length);
        const renamed = clusteringScores(
          labels.map((l) => names[l]),
          clusters.map((c) => names[5 - c]),
        );
        expectScores(renamed, clusteringScores(labels, clusters));
      }),
    );
  });

  test('all but homogeneity, completeness and purity are symmetric; those two swap', () => {
    fc.assert(
      fc.property(labelling(6), ([labels, clusters]) => {
        const { purity, homogeneity, completeness, ...rest } = clusteringScores(labels, clusters);
        const swapped = clusteringScores(clusters, labels);
        expectScores(swapped, { ...rest, homogeneity: completeness, completeness: homogeneity });
        expect(purity).toBeGreaterThan(0);
      }),
    );
  });

  test('every score stays in its bounds and none is NaN', () => {
    fc.assert(
      fc.property(labelling(20), ([labels, clusters]) => {
        const { ami, ari, ...rest } = clusteringScores(labels, clusters);
        for (const [name, value] of Object.entries(rest)) {
          expect(value, name).toBeGreaterThanOrEqual(0);
          expect(value, name).toBeLessThanOrEqual(1);
        }
        for (const value of [ami, ari]) {
          expect(value).toBeGreaterThanOrEqual(-1);
          expect(value).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('a clustering agrees fully with itself', () => {
    fc.assert(
      fc.property(labelling(8), ([labels]) => {
        const { pairwiseF1, fowlkesMallows, ...rest } = clusteringScores(labels, labels);
        for (const value of Object.values(rest)) expect(value).toBe(1);
        const pairs = labels.length > new Set(labels).size ? 1 : 0;
        expect(pairwiseF1).toBe(pairs);
        expect(fowlkesMallows).toBeCloseTo(pairs, 12);
      }),
    );
  });
});

test('swapping two clusters wholesale is invisible, as the design warns', () => {
  const labels = [0, 0, 1, 1, 2, 2];
  const clusters = [1, 1, 0, 0, 2, 2];
  expect(clusteringScores(labels, clusters).nmi).toBe(1);
});

test('the expected mutual information keeps its digits on many samples', () => {
  // AMI of a chance clustering of n samples is 0 in expectation; here every overlap is exactly its expected value,
  // so MI = 0 and AMI = -E[MI] / (log 4 - E[MI]) with E[MI] ~ (4 - 1)^2 / (2n) to first order.
  const n = 160_000;
  const labels = Array.from({ length: n }, (_, i) => i % 4);
  const clusters = Array.from({ length: n }, (_, i) => Math.floor(i / 4) % 4);
  const expected = 9 / (2 * n);
  expect(clusteringScores(labels, clusters).nmi).toBe(0);
  expect(clusteringScores(labels, clusters).ami / (-expected / Math.log(4))).toBeCloseTo(1, 3);
});

test('typed arrays are taken', () => {
  expect(clusteringScores(Int32Array.of(1, 1, 0), Float32Array.of(4, 4, 7)).ari).toBe(1);
});

describe('bad input', () => {
  test.each([
    ['lengths differ', [0, 1], [0], 'Expected 2 values in clusters but received 1.'],
    ['empty', [], [], 'Expected at least one label for labels but received an array of length 0.'],
    ['a fraction', [0, 0.5], [0, 1], 'Expected an integer for labels[1] but received 0.5.'],
    ['NaN', [0, 1], [0, NaN], 'Expected an integer for clusters[1] but received NaN.'],
    ['no array', 3, [0], 'Expected an array of integers for labels but received 3.'],
  ])('%s', (_, labels, clusters, message) => {
    const call = () => clusteringScores(labels as number[], clusters as number[]);
    expect(call).toThrow(expect.objectContaining({ name: 'EatDmlError', code: 'ERR_ARGUMENT', message }));
  });
});
