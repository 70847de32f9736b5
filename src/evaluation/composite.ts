import type { Found } from '../clustering/found.js';
import type { Matrix } from '../kernels/index.js';
import { randomStream } from '../random.js';
import { lowestNmi } from './contingency-choice.js';
import { ImageSpool } from './image-spool.js';
import type { MeasuredSet } from './measured-set.js';
import { assigned, clusterScores, type ScoringOptions } from './scores.js';

export const COMPOSITE = 'composite';

/** Bytes of embeddings that are kept in memory over all attacks; the rest lies in temporary files. */
const IN_MEMORY = 2 ** 30;
/** Times that a choice is made anew on the clusters that the last one led to; where clustering takes long, once. */
const ROUNDS = 3;
const LONG = 1000;

/** One set that was found, clean or attacked. */
interface Kept {
  name: string;
  embeddings: ImageSpool;
  found?: Found;
}

/** A choice: the set of each image, and the NMI that k-means finds under it. */
interface Reached {
  nmi: number | null;
  choice: Int32Array;
  set: MeasuredSet;
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
 * then finds anew: the score is always that of a real clustering. It is made as sets come in, from the best choice so far and
 * from the set that came: it is never above the lowest of the sets, and one more set never raises it.
 */
export class CompositeAttack {
  private readonly kept: Kept[] = [];
  private best?: Reached;

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
    this.kept.push({ name, embeddings, found: (await set.retrieval())?.found });
    await this.compare({ nmi, choice: new Int32Array(rows).fill(this.kept.length - 1), set });
  }

  async chosen(): Promise<Composite> {
    const { choice, set } = this.best!;
    const found = this.kept.flatMap((kept) => kept.found ?? []);
    return { set: set.searchedAsWorst(found), from: this.sharesOf(choice) };
  }

  async dispose(): Promise<void> {
    for (const { embeddings } of this.kept) await embeddings.dispose();
  }

  /** Takes in a set by itself, and what the rounds from the best so far and from it come to. */
  private async compare(added: Reached): Promise<void> {
    const before = this.best;
    this.best ??= added;
    if (!before || before.nmi === null || added.nmi === null) return;
    const reached = [added];
    for (const [i, start] of (this.scoring.k <= LONG ? [before, added] : [before]).entries()) {
      reached.push(await this.improved(start, [this.kept.length, i]));
    }
    for (const one of reached) if (one.nmi! < this.best.nmi!) this.best = one;
  }

  /** The lowest that the rounds from one choice come to. */
  private async improved(start: Reached, path: number[]): Promise<Reached> {
    const choice = start.choice.slice();
    let best = start;
    let { set } = start;
    for (let round = 0; round < (this.scoring.k <= LONG ? ROUNDS : 1); round++) {
      await this.chooseOn(set, choice, [...path, round]);
      set = this.clean.moved(await this.mixed(choice));
      const { nmi } = clusterScores(set.clusteredLabels(), (await set.clusters()).labels);
      if (nmi! < best.nmi!) best = { nmi, choice: choice.slice(), set };
    }
    return best;
  }

  /** Chooses anew, on the clusters that k-means finds in a set. */
  private async chooseOn(set: MeasuredSet, choice: Int32Array, path: number[]): Promise<void> {
    const { centroids, labels } = await set.clusters();
    const clusters: Int32Array[] = [];
    for (let i = 0; i < this.kept.length; i++) {
      const embeddings = await this.mixed(new Int32Array(choice.length).fill(i));
      clusters.push(await assigned(embeddings, centroids, this.scoring));
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
