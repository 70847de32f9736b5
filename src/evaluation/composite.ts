import { assignToCentroids } from '../clustering/assign.js';
import type { Found } from '../clustering/found.js';
import type { Matrix } from '../kernels/index.js';
import { randomStream } from '../random.js';
import { lowestNmi } from './contingency-choice.js';
import { ImageSpool } from './image-spool.js';
import type { MeasuredSet } from './measured-set.js';
import type { ScoringOptions } from './scores.js';

export const COMPOSITE = 'composite';

/** Bytes of embeddings that are kept in memory over all attacks; the rest lies in temporary files. */
const IN_MEMORY = 2 ** 30;
/** Sets that the choice begins from, and times that it is made anew on the clusters it led to. */
const STARTS = 3;
const ROUNDS = 4;

/** One set that was found, clean or attacked. */
interface Kept {
  name: string;
  embeddings: ImageSpool;
  nmi: number | null;
  found?: Found;
}

/** A choice: the set of each image, and the NMI that k-means finds under it. */
interface Reached {
  nmi: number | null;
  choice: Int32Array;
}

/** What an attacker hands in who has all the sets: images of each, and of how many. */
export interface Composite {
  set: MeasuredSet;
  /** Share of the images by the set they are of, for clustering. */
  from: Record<string, number>;
}

/**
 * Keeps the embeddings of every attacked set (not its images), and chooses for each image among them as an attacker does. For
 * retrieval the worst of each query; for clustering the greedy choice that lowers NMI on the clusters of now, which k-means
 * then finds anew: the score is always that of a real clustering, and never above the lowest of the sets.
 */
export class CompositeAttack {
  private readonly kept: Kept[] = [];

  constructor(
    private readonly clean: MeasuredSet,
    private readonly scoring: ScoringOptions,
    /** How many sets will be kept. */
    private readonly count: number,
  ) {}

  async add(name: string, set: MeasuredSet): Promise<void> {
    const { data, rows, cols } = set.embeddings;
    const embeddings = new ImageSpool(cols, rows, IN_MEMORY / this.count);
    await embeddings.writeAll(
      Int32Array.from({ length: rows }, (_, i) => i),
      data,
    );
    const { nmi } = await set.scores();
    this.kept.push({ name, embeddings, nmi, found: (await set.retrieval())?.found });
  }

  async chosen(): Promise<Composite> {
    const lowest = this.kept.map((_, i) => i).sort((a, b) => (this.kept[a].nmi ?? 0) - (this.kept[b].nmi ?? 0));
    const first = new Int32Array(this.clean.labels.length).fill(lowest[0]);
    let best: Reached = { nmi: this.kept[lowest[0]].nmi, choice: first };
    if (best.nmi !== null) {
      for (const start of lowest.slice(0, STARTS)) {
        const reached = await this.improved(start);
        if (reached.nmi! < best.nmi!) best = reached;
      }
    }
    const found = this.kept.flatMap((kept) => kept.found ?? []);
    const set = this.clean.searchedAsWorst(await this.mixed(best.choice), found);
    return { set, from: this.sharesOf(best.choice) };
  }

  async dispose(): Promise<void> {
    for (const { embeddings } of this.kept) await embeddings.dispose();
  }

  /** The lowest that the rounds from one set come to. */
  private async improved(start: number): Promise<Reached> {
    const choice = new Int32Array(this.clean.labels.length).fill(start);
    let best: Reached = { nmi: this.kept[start].nmi, choice: choice.slice() };
    let set = this.clean.moved(await this.mixed(choice));
    for (let round = 0; round < ROUNDS; round++) {
      await this.chooseOn(set, choice, [start, round]);
      set = this.clean.moved(await this.mixed(choice));
      const nmi = (await set.scores()).nmi!;
      if (nmi < best.nmi!) best = { nmi, choice: choice.slice() };
    }
    return best;
  }

  /** Chooses anew, on the clusters that k-means finds in a set. */
  private async chooseOn(set: MeasuredSet, choice: Int32Array, path: number[]): Promise<void> {
    const { centroids, labels } = await set.clusters();
    const clusters: Int32Array[] = [];
    for (let i = 0; i < this.kept.length; i++) {
      const embeddings = await this.mixed(new Int32Array(choice.length).fill(i));
      clusters.push(await assignToCentroids(embeddings, centroids, { signal: this.scoring.signal }));
    }
    const fixed = { classes: this.clean.beside(), clusters: labels.subarray(choice.length) };
    const random = randomStream(this.scoring.seed, COMPOSITE, ...path);
    lowestNmi({ classes: this.clean.labels, clusters, fixed }, choice, random);
  }

  /** The embeddings of each image from the set that was chosen for it. */
  private async mixed(choice: Int32Array): Promise<Matrix> {
    const { rows, cols } = this.clean.embeddings;
    const data = new Float32Array(rows * cols);
    for (const [set, { embeddings }] of this.kept.entries()) {
      const own = Int32Array.from(choice.keys()).filter((i) => choice[i] === set);
      const values = await embeddings.read(own);
      for (const [at, i] of own.entries()) data.set(values.subarray(at * cols, (at + 1) * cols), i * cols);
    }
    return { data, rows, cols };
  }

  private sharesOf(choice: Int32Array): Record<string, number> {
    const counts = this.kept.map(() => 0);
    for (const set of choice) counts[set]++;
    const shares = this.kept.map(({ name }, set) => [name, counts[set] / choice.length] as const);
    return Object.fromEntries(shares.filter(([, share]) => share > 0));
  }
}
