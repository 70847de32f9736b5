import { type Retrieval, retrieve } from '../clustering/retrieval-scores.js';
import type { KMeansResult, Matrix } from '../kernels/index.js';
import { notDefinedOn } from './defined.js';
import { clusterScores, clustersOf, type Scores, type ScoringOptions, UNDEFINED } from './scores.js';

/**
 * Embeddings of the evaluated set, clean or attacked, as the protocols look at them: clustered (transductively: the whole set, as
 * it is) and searched as queries in the clean gallery, where a query's own clean image never counts as found. Each is done once,
 * when it is first asked for.
 */
export class MeasuredSet {
  private clustered?: Promise<KMeansResult>;
  private searched?: Promise<Retrieval | undefined>;

  constructor(
    readonly embeddings: Matrix,
    readonly labels: Int32Array,
    private readonly scoring: ScoringOptions,
    /** Clean embeddings; those of this set itself where it is the clean one. */
    private readonly gallery = embeddings,
  ) {}

  clusters(): Promise<KMeansResult> {
    this.clustered ??= clustersOf(this.embeddings, this.scoring);
    return this.clustered;
  }

  /** undefined where no image has another of its class to be found. */
  retrieval(): Promise<Retrieval | undefined> {
    this.searched ??= this.search();
    return this.searched;
  }

  async scores(): Promise<Scores> {
    const clustering = clusterScores(this.labels, (await this.clusters()).labels);
    const found = await this.retrieval();
    if (!found) return { ...UNDEFINED, ...clustering };
    const { recallAt, mapAtR, rPrecision } = found.scores;
    return {
      ...clustering,
      ...{ recallAt1: recallAt[1], recallAt2: recallAt[2], recallAt4: recallAt[4], recallAt8: recallAt[8] },
      ...{ mapAtR, rPrecision },
    };
  }

  private async search(): Promise<Retrieval | undefined> {
    const { embeddings, labels, gallery, scoring } = this;
    if (notDefinedOn(labels).recallAt1) return undefined;
    return retrieve(embeddings, labels, {
      recallAt: [1, 2, 4, 8],
      gallery: { embeddings: gallery, labels, selfIndex: 'same-row' },
      signal: scoring.signal,
    });
  }
}
