/** Weights below this share of the largest one cannot move a double. */
const NEGLIGIBLE = 1e-30;

/**
 * Expected mutual information (nats) of two partitions with these group sizes when both are drawn at random
 * (Vinh, Epps and Bailey, JMLR 11, 2010, eq. 24a; what scikit-learn's `adjusted_mutual_info_score` subtracts):
 * `sum_ab E[(n/N) log(N n / (a b))]`, n hypergeometric with parameters N, a, b.
 *
 * Groups of equal size share one term, and the probabilities come from the ratio of neighbours rather than from
 * differences of log-factorials, which at N = 1e5 would leave only nine digits.
 */
export function expectedMutualInformation(classSizes: number[], clusterSizes: number[], total: number): number {
  if (classSizes.length === 1 || clusterSizes.length === 1) return 0;
  const clusterTally = tally(clusterSizes);
  let sum = 0;
  for (const [a, classes] of tally(classSizes)) {
    for (const [b, clusters] of clusterTally) sum += classes * clusters * expectedTerm(a, b, total);
  }
  return sum;
}

/** `E[(n/N) log(N n / (a b))]` for the overlap n of a random a-subset and a fixed b-subset of N samples. */
function expectedTerm(a: number, b: number, total: number): number {
  const low = Math.max(0, a + b - total);
  const high = Math.min(a, b);
  const mode = Math.min(high, Math.max(low, Math.floor(((a + 1) * (b + 1)) / (total + 2))));
  const offset = Math.log(total) - Math.log(a) - Math.log(b);
  const value = (n: number) => (n === 0 ? 0 : (n / total) * (offset + Math.log(n)));
  // p(n + 1) / p(n) = (a - n)(b - n) / ((n + 1)(N - a - b + n + 1)); unnormalised, 1 at the mode.
  const slack = total - a - b;
  let mass = 1;
  let sum = value(mode);
  for (let n = mode, w = 1; n < high && w > NEGLIGIBLE; n++) {
    w *= ((a - n) / (n + 1)) * ((b - n) / (slack + n + 1));
    mass += w;
    sum += w * value(n + 1);
  }
  for (let n = mode, w = 1; n > low && w > NEGLIGIBLE; n--) {
    w *= (n / (a - n + 1)) * ((slack + n) / (b - n + 1));
    mass += w;
    sum += w * value(n - 1);
  }
  return sum / mass;
}

/** Each size with the number of groups that have it. */
function tally(sizes: number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const size of sizes) counts.set(size, (counts.get(size) ?? 0) + 1);
  return counts;
}
