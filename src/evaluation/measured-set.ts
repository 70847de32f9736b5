import { type Found, retrievalOf, worstFound } from '../clustering/found.js';
import { type Retrieval, retrieve } from '../clustering/retrieval-scores.js';
import { stacked } from '../clustering/stacked.js';
import type { Source } from '../data/index.js';
import { joined } from '../joined.js';
import type { KMeansResult, Matrix } from '../kernels/index.js';
import type { Ensemble } from '../models/index.js';
import { notDefinedOn, withOthers } from './defined.js';
import { clusterScores, clustersOf, type Scores, type ScoringOptions, UNDEFINED } from './scores.js';
import { checkUnitRows } from './unit-rows.js';

/** Clean images that a set is looked up in. */
export interface Gallery {
  embeddings: Matrix;
  labels: Int32Array;
  /** They are the evaluated set itself: a query's own clean image never counts as found. */
  own: boolean;
}

/**
 * Embeddings of the evaluated set, clean or attacked, as the protocols look at them: clustered (transductively: the whole set, as
 * it is, with a gallery of other images where there is one) and searched as queries in the clean gallery. Each is done once, when
 * it is first asked for.
 */
export class MeasuredSet {
  private clustered?: Promise<KMeansResult>;
  private searched?: Promise<Retrieval | undefined>;

  constructor(
    readonly embeddings: Matrix,
    readonly labels: Int32Array,
    private readonly scoring: ScoringOptions,
    private readonly gallery: Gallery = { embeddings, labels, own: true },
  ) {}

  /** Other embeddings of the same images, looked up in the same gallery. */
  moved(embeddings: Matrix): MeasuredSet {
    return new MeasuredSet(embeddings, this.labels, this.scoring, this.gallery);
  }

  /** The same, where each query's search goes as in the worst of `searches`, measure by measure. */
  searchedAsWorst(searches: readonly Found[]): MeasuredSet {
    const set = this.moved(this.embeddings);
    const worst = searches.length > 0 ? retrievalOf(worstFound(searches), this.recallAt()) : undefined;
    set.searched = Promise.resolve(worst);
    set.clustered = this.clustered;
    return set;
  }

  /** Of the set, and of a gallery of other images after it. */
  clusters(): Promise<KMeansResult> {
    this.clustered ??= clustersOf(
      this.gallery.own ? this.embeddings : stacked(this.embeddings, this.gallery.embeddings),
      this.scoring,
    );
    return this.clustered;
  }

  /** undefined where no image has another of its class to be found. */
  retrieval(): Promise<Retrieval | undefined> {
    this.searched ??= this.search();
    return this.searched;
  }

  /** 1 for each image that has another of its class to be found. */
  findable(): Uint8Array {
    const { labels, gallery } = this;
    return withOthers(labels, gallery.own ? undefined : gallery.labels);
  }

  /** The labels of what is clustered. */
  clusteredLabels(): Int32Array {
    const { labels, gallery } = this;
    return gallery.own ? labels : joined([labels, gallery.labels]);
  }

  /** What the gallery adds to the labels of a clustering: those of other images that are clustered with the set. */
  beside(): Int32Array {
    return this.gallery.own ? new Int32Array(0) : this.gallery.labels;
  }

  /** Other images that the set is searched in, where it is not searched in itself. */
  otherGallery(): Gallery | undefined {
    return this.gallery.own ? undefined : this.gallery;
  }

  async scores(): Promise<Scores> {
    const clustering = clusterScores(this.clusteredLabels(), (await this.clusters()).labels);
    const found = await this.retrieval();
    if (!found) return { ...UNDEFINED, ...clustering };
    const { recallAt, mapAtR, rPrecision } = found.scores;
    return {
      ...clustering,
      ...{ recallAt1: recallAt[1], recallAt2: recallAt[2], recallAt4: recallAt[4], recallAt8: recallAt[8] },
      ...{ mapAtR, rPrecision },
    };
  }

  private recallAt(): number[] {
    return [...new Set([1, 2, 4, 8, ...(this.scoring.recallAt ?? [])])];
  }

  private async search(): Promise<Retrieval | undefined> {
    const { embeddings, labels, gallery, scoring } = this;
    const { own, ...looked } = gallery;
    if (notDefinedOn(labels, own ? undefined : gallery.labels).recallAt1) return undefined;
    const options = {
      recallAt: this.recallAt(),
      gallery: { ...looked, ...(own && { selfIndex: 'same-row' as const }) },
      signal: scoring.signal,
    };
    return retrieve(embeddings, labels, options, scoring.sharing);
  }
}

/** What is measured: images, and what they are looked up in, where that is not the set itself. */
export interface Evaluated {
  data: Source;
  gallery?: Source;
}

/** The clean set as `system` embeds it, and its gallery. Throws where embeddings are no unit rows. */
export async function cleanSetOf(
  system: Ensemble,
  { data, gallery }: Evaluated,
  scoring: ScoringOptions,
): Promise<MeasuredSet> {
  const embed = async (source: Source) => {
    const embeddings = await system.embed(source, { signal: scoring.signal });
    checkUnitRows(system, embeddings);
    return embeddings;
  };
  const embeddings = await embed(data);
  const looked = gallery && { embeddings: await embed(gallery), labels: gallery.labels, own: false };
  return new MeasuredSet(embeddings, data.labels, scoring, looked);
}
