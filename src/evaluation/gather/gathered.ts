import type { Matrix } from '../../kernels/index.js';

/** Images as bytes, one after the other: channels last, 1 or 3 of them. */
export interface Pixels {
  data: Uint8Array;
  count: number;
  height: number;
  width: number;
  channels: number;
}

/** A sample of images as the ensemble sees them: row i is image i of the sample. */
export interface GatheredSide {
  embeddings: Matrix;
  clusters: Int32Array;
}

/** How many images of a class lie in a cluster, for every pair that occurs. */
export interface ClassInCluster {
  label: number;
  cluster: number;
  images: number;
}

/** What an image is found with: the nearest other one in the clean gallery. */
export interface FoundImage {
  label: number;
  /** What it is called, where the data have names. */
  name?: string;
  /** Of its own class, as it should be. */
  right: boolean;
  image: Pixels;
}

/** One image before and after the attack. */
export interface Picture {
  /** Its row in the evaluated set. */
  sample: number;
  /** What it is called, where the data have names: its file. */
  name?: string;
  label: number;
  /** Whether it is among those whose embedding moved most, or about the middle of them. */
  rank: 'worst' | 'median';
  /** Cosine distance between its embeddings, clean and attacked, in [0, 2]. */
  shift: number;
  clean: Pixels;
  attacked: Pixels;
  /** Attacked less clean: grey where nothing changed, `magnified` times as strong. */
  perturbation: Pixels;
  magnified: number;
  clusters: { clean: number; attacked: number };
  found: { clean: FoundImage; attacked: FoundImage };
}

/**
 * What a page shows beside a report: a sample of the evaluated images, clean and under one attack, the one of the suite that lowers NMI
 * most (the composite aside, which makes no images).
 */
export interface Gathered {
  attack: string;
  /** Rows of the evaluated set, ascending. */
  samples: Int32Array;
  /** What each image of the sample is called, where the data have names. */
  names?: readonly string[];
  labels: Int32Array;
  clean: GatheredSide;
  attacked: GatheredSide;
  /** The images of the sample, small. */
  thumbnails: Pixels;
  /** Of the whole set. */
  table: { clean: ClassInCluster[]; attacked: ClassInCluster[] };
  /** First those that moved most. */
  pictures: Picture[];
}
