import type * as tf from '#tf';
import { contingencyOf } from '../../clustering/contingency.js';
import type { Source } from '../../data/index.js';
import type { Matrix } from '../../kernels/index.js';
import { randomStream } from '../../random.js';
import { rowsOf } from '../attack-together.js';
import type { MeasuredSet } from '../measured-set.js';
import type { ClassInCluster, Gathered, GatheredSide } from './gathered.js';
import { picturesOf } from './pictures.js';
import { thumbnailsOf } from './pixels.js';

/** Bytes of attacked images that are kept of an attack: of those, pictures are chosen. */
const IN_MEMORY = 64 * 2 ** 20;
/** Pictures of a page, half of them of the images that moved most. */
const PICTURES = 12;

/** Attacked images of one attack by their row in the set, as floats. */
export type Caught = Map<number, Float32Array>;

export interface GathererRun {
  data: Source;
  gallery?: Source;
  clean: MeasuredSet;
  seed: number;
  signal?: AbortSignal;
}

/** One attack of the suite. */
interface Kept {
  attack: string;
  nmi: number;
  embeddings: Matrix;
  clusters: Int32Array;
  caught: Caught;
}

/** Looks on as the attacks of a suite are made, and keeps a sample of what the one does that lowers NMI most. */
export class Gatherer {
  private readonly samples: Int32Array;
  /** Of the sample, those whose attacked images are kept. */
  private readonly wanted: Set<number>;
  private kept?: Kept;

  constructor(
    private readonly run: GathererRun,
    size: number,
  ) {
    const { data, seed } = run;
    const { length } = data.labels;
    const drawn = randomStream(seed, 'gathered').permutation(length).slice(0, size);
    const [height, width, channels] = data.shape;
    const room = Math.max(PICTURES, Math.floor(IN_MEMORY / (4 * height * width * channels)));
    this.wanted = new Set(drawn.subarray(0, room));
    this.samples = drawn.sort();
  }

  /** What an attack is to be called with, and where the images then are. */
  catching(): { caught: Caught; onAttacked(samples: Int32Array, images: tf.Tensor4D): Promise<void> } {
    const caught: Caught = new Map();
    const onAttacked = async (samples: Int32Array, images: tf.Tensor4D) => {
      if (!samples.some((sample) => this.wanted.has(sample))) return;
      const values = await images.data<'float32'>();
      const size = values.length / samples.length;
      for (const [i, sample] of samples.entries()) {
        if (this.wanted.has(sample)) caught.set(sample, values.slice(i * size, (i + 1) * size));
      }
    };
    return { caught, onAttacked };
  }

  /** Takes in what an attack came to. */
  async take(attack: string, set: MeasuredSet, caught: Caught): Promise<void> {
    const { nmi } = await set.scores();
    if (nmi === null || (this.kept && nmi >= this.kept.nmi)) return;
    const { labels: clusters } = await set.clusters();
    this.kept = { attack, nmi, embeddings: set.embeddings, clusters, caught };
  }

  /** undefined where no attack was made. */
  async gathered(): Promise<Gathered | undefined> {
    const { run, samples, kept } = this;
    if (!kept) return undefined;
    const { clean, data } = run;
    const { names } = data;
    const before = { embeddings: clean.embeddings, clusters: (await clean.clusters()).labels };
    return {
      attack: kept.attack,
      samples,
      ...(names && { names: Array.from(samples, (sample) => names[sample]) }),
      labels: samples.map((sample) => data.labels[sample]),
      clean: sideOf(before, samples),
      attacked: sideOf(kept, samples),
      thumbnails: await thumbnailsOf(data, samples, run.signal),
      table: { clean: tableOf(data.labels, before.clusters), attacked: tableOf(data.labels, kept.clusters) },
      pictures: await picturesOf(run, before, kept, kept.caught, PICTURES),
    };
  }
}

function sideOf({ embeddings, clusters }: GatheredSide, samples: Int32Array): GatheredSide {
  return { embeddings: rowsOf(embeddings, samples), clusters: samples.map((sample) => clusters[sample]) };
}

/** Of the set alone: a gallery that is clustered with it comes after it. */
function tableOf(labels: Int32Array, clusters: Int32Array): ClassInCluster[] {
  const own = clusters.subarray(0, labels.length);
  const { rows, cols, counts } = contingencyOf(labels, own);
  const [classes, found] = [labels, own].map((list) => [...new Set(list)]);
  return counts.map((images, cell) => ({ label: classes[rows[cell]], cluster: found[cols[cell]], images }));
}
