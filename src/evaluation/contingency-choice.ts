import type { RandomStream } from '../random.js';

/** Times that all images are gone through at most. */
const SWEEPS = 10;

/** What is chosen from: of each image its class, and the cluster that it would be in by each choice. */
export interface Choices {
  classes: Int32Array;
  /** A list for every choice, of the cluster of each image. */
  clusters: Int32Array[];
  /** Classes and clusters of images that stay where they are. */
  fixed: { classes: Int32Array; clusters: Int32Array };
}

/**
 * The choice for each image that lowers the NMI of classes and clusters of all, greedily: image by image in a random order,
 * until a sweep changes nothing. Starts from `chosen` [n], which it changes.
 */
export function lowestNmi({ classes, clusters, fixed }: Choices, chosen: Int32Array, random: RandomStream): void {
  const largest = clusters.concat(fixed.clusters).map((list) => list.reduce((a, b) => Math.max(a, b), 0));
  const table = new Table(1 + largest.reduce((a, b) => Math.max(a, b), 0));
  for (const [i, label] of fixed.classes.entries()) table.add(label, fixed.clusters[i]);
  for (const [i, choice] of chosen.entries()) table.add(classes[i], clusters[choice][i]);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let changed = false;
    for (const i of random.permutation(chosen.length)) {
      const best = bestOf(table, classes[i], clusters, i, chosen[i]);
      if (best === chosen[i]) continue;
      table.remove(classes[i], clusters[chosen[i]][i]);
      table.add(classes[i], clusters[best][i]);
      chosen[i] = best;
      changed = true;
    }
    if (!changed) return;
  }
}

/** The first choice with the lowest NMI; the one of now where no other is lower. */
function bestOf(table: Table, label: number, clusters: Int32Array[], i: number, now: number): number {
  const from = clusters[now][i];
  let [best, lowest] = [now, table.nmi() - 1e-12];
  const tried = new Set([from]);
  for (const [choice, list] of clusters.entries()) {
    if (tried.has(list[i])) continue;
    tried.add(list[i]);
    const value = table.nmiAfter(label, from, list[i]);
    if (value < lowest) [best, lowest] = [choice, value];
  }
  return best;
}

/** x log x */
const weigh = (x: number) => (x > 0 ? x * Math.log(x) : 0);

/** Images by class and cluster, with the sums Σ x log x over cells, classes and clusters that mutual information is made of. */
class Table {
  private readonly cells = new Map<number, number>();
  private readonly classes = new Map<number, number>();
  private readonly clusters = new Map<number, number>();
  private total = 0;
  private readonly sums = { cells: 0, classes: 0, clusters: 0 };

  /** `k`: clusters are below it. */
  constructor(private readonly k: number) {}

  add(label: number, cluster: number): void {
    this.change(label, cluster, 1);
  }

  remove(label: number, cluster: number): void {
    this.change(label, cluster, -1);
  }

  nmi(): number {
    return this.of(this.sums.cells, this.sums.clusters);
  }

  /** With one image of the class taken from one cluster to another. */
  nmiAfter(label: number, from: number, to: number): number {
    const step = (count: number, by: number) => weigh(count + by) - weigh(count);
    const cell = (cluster: number) => this.cells.get(label * this.k + cluster) ?? 0;
    const size = (cluster: number) => this.clusters.get(cluster) ?? 0;
    return this.of(
      this.sums.cells + step(cell(from), -1) + step(cell(to), 1),
      this.sums.clusters + step(size(from), -1) + step(size(to), 1),
    );
  }

  /** Mutual information over the mean of both entropies, all times the number of images. */
  private of(cells: number, clusters: number): number {
    const all = weigh(this.total);
    const entropies = 2 * all - this.sums.classes - clusters;
    return entropies > 0 ? (2 * (cells - this.sums.classes - clusters + all)) / entropies : 0;
  }

  private change(label: number, cluster: number, by: number): void {
    this.total += by;
    this.sums.cells += bump(this.cells, label * this.k + cluster, by);
    this.sums.classes += bump(this.classes, label, by);
    this.sums.clusters += bump(this.clusters, cluster, by);
  }
}

/** Changes a count; what that adds to Σ x log x. */
function bump(counts: Map<number, number>, key: number, by: number): number {
  const before = counts.get(key) ?? 0;
  counts.set(key, before + by);
  return weigh(before + by) - weigh(before);
}
