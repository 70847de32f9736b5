import { checkLabels } from '../checks.js';
import { type Contingency, contingencyOf } from './contingency.js';
import { expectedMutualInformation } from './expected-mutual-information.js';

/** How well a clustering agrees with the classes; all but `purity` as scikit-learn 1.9 computes them. */
export interface ClusteringScores {
  /** Mutual information over the arithmetic mean of both entropies. In [0, 1]. */
  nmi: number;
  /** Mutual information over the geometric mean of both entropies. In [0, 1]. */
  nmiGeometric: number;
  /** Mutual information over the larger entropy. In [0, 1]. */
  nmiMax: number;
  /** Adjusted for chance, arithmetic mean: `(MI - E[MI]) / (mean(H) - E[MI])`. 0 at chance, at most 1. */
  ami: number;
  /** Adjusted Rand index. 0 at chance, at most 1. */
  ari: number;
  /** F1 of "same cluster" as a prediction of "same class" over all pairs; 0 when no pair is in either. In [0, 1]. */
  pairwiseF1: number;
  /** `MI / H(classes)`: 1 when every cluster holds one class only. In [0, 1]. */
  homogeneity: number;
  /** `MI / H(clusters)`: 1 when every class lies in one cluster. In [0, 1]. */
  completeness: number;
  /** Harmonic mean of homogeneity and completeness. In [0, 1]. */
  vMeasure: number;
  /** Geometric mean of pairwise precision and recall; 0 when no pair is in both. In [0, 1]. */
  fowlkesMallows: number;
  /** Share of samples that belong to the commonest class of their cluster. In (0, 1]. */
  purity: number;
}

/**
 * Scores `clusters` against the true `labels`. Both name groups by arbitrary integers and no score depends on the
 * names. Edge cases are scikit-learn's: with one class and one cluster every score is 1; with one class or one cluster
 * only, nmi, ami and ari are 0; where everything is a singleton on both sides the pair scores are 0 (there is no pair)
 * while ari and the information scores are 1.
 *
 * @throws EatDmlError ERR_ARGUMENT when the lengths differ, are 0, or a value is no integer.
 */
export function clusteringScores(labels: ArrayLike<number>, clusters: ArrayLike<number>): ClusteringScores {
  checkLabels('labels', labels);
  checkLabels('clusters', clusters, labels.length);
  const table = contingencyOf(labels, clusters);
  return { ...tableScores(table), ami: adjusted(table) };
}

/** All of a contingency table but `ami`, whose expectation costs more than the others together. */
export function tableScores(table: Contingency): Omit<ClusteringScores, 'ami'> {
  return { ...informationScores(table), ...pairScores(table), purity: purityOf(table) };
}

function informationOf(table: Contingency) {
  const { classSizes, clusterSizes, total } = table;
  const hClasses = entropy(classSizes, total);
  const hClusters = entropy(clusterSizes, total);
  return { hClasses, hClusters, information: mutualInformation(table, Math.min(hClasses, hClusters)) };
}

function informationScores(table: Contingency) {
  const { hClasses, hClusters, information } = informationOf(table);
  if (isRenaming(table)) {
    return { nmi: 1, nmiGeometric: 1, nmiMax: 1, homogeneity: 1, completeness: 1, vMeasure: 1 };
  }
  const share = (normaliser: number) => (information === 0 ? 0 : information / normaliser);
  const mean = (hClasses + hClusters) / 2;
  const nmi = share(mean);
  return {
    nmi,
    nmiGeometric: share(Math.sqrt(hClasses * hClusters)),
    nmiMax: share(Math.max(hClasses, hClusters)),
    homogeneity: hClasses === 0 ? 1 : information / hClasses,
    completeness: hClusters === 0 ? 1 : information / hClusters,
    // 2 (MI/Hc)(MI/Hk) / (MI/Hc + MI/Hk) = MI / mean(H): the harmonic mean is nmi itself.
    vMeasure: nmi,
  };
}

function adjusted(table: Contingency): number {
  const { classSizes, clusterSizes, total } = table;
  if (isRenaming(table)) return 1;
  if (classSizes.length === 1 || clusterSizes.length === 1) return 0;
  const { hClasses, hClusters, information } = informationOf(table);
  const mean = (hClasses + hClusters) / 2;
  const expected = expectedMutualInformation(classSizes, clusterSizes, total);
  // E[MI] <= MI's maximum <= mean(H), equal only for a renaming, which was answered before.
  return (information - expected) / Math.max(mean - expected, Number.EPSILON);
}

/** Every class is one cluster and the other way round. */
function isRenaming({ classSizes, clusterSizes, counts }: Contingency): boolean {
  return counts.length === classSizes.length && counts.length === clusterSizes.length;
}

/** `-sum p log p` in nats. */
function entropy(sizes: number[], total: number): number {
  if (sizes.length === 1) return 0;
  return -sizes.reduce((sum, size) => sum + (size / total) * (Math.log(size) - Math.log(total)), 0);
}

/** `sum p(i,j) log(p(i,j) / (p(i) p(j)))` in nats, kept within its bounds against rounding. */
function mutualInformation({ rows, cols, counts, classSizes, clusterSizes, total }: Contingency, atMost: number) {
  let sum = 0;
  counts.forEach((count, e) => {
    // One quotient of exact products, so that independent groups give log(1) = 0 and not a rounding error.
    sum += (count / total) * Math.log((count * total) / (classSizes[rows[e]] * clusterSizes[cols[e]]));
  });
  return Math.min(Math.max(sum, 0), atMost);
}

function pairScores({ classSizes, clusterSizes, counts, total }: Contingency) {
  const together = orderedPairs(counts);
  const sameClass = orderedPairs(classSizes);
  const sameCluster = orderedPairs(clusterSizes);
  const apart = total * (total - 1) - sameClass - sameCluster + together;
  const [missed, spurious] = [sameClass - together, sameCluster - together];
  const agreement = together * apart - missed * spurious;
  const scale = sameClass * (missed + apart) + sameCluster * (spurious + apart);
  return {
    ari: missed === 0 && spurious === 0 ? 1 : (2 * agreement) / scale,
    pairwiseF1: together === 0 ? 0 : (2 * together) / (sameClass + sameCluster),
    fowlkesMallows: together === 0 ? 0 : Math.sqrt(together / sameClass) * Math.sqrt(together / sameCluster),
  };
}

/** Ordered pairs of different samples within groups of these sizes. */
function orderedPairs(sizes: number[]): number {
  return sizes.reduce((sum, size) => sum + size * (size - 1), 0);
}

function purityOf({ cols, counts, clusterSizes, total }: Contingency): number {
  const largest = new Float64Array(clusterSizes.length);
  counts.forEach((count, e) => {
    largest[cols[e]] = Math.max(largest[cols[e]], count);
  });
  return largest.reduce((sum, count) => sum + count, 0) / total;
}
