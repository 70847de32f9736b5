import * as tf from '#tf';
import type { Source } from '../data/index.js';
import type { NormSet } from '../models/index.js';
import { packageVersion } from '../version.js';
import { kernelDevice } from './kernel-device.js';
import type { Seen } from './seen.js';

/** Everything a figure depends on, so that it can be checked and got again. */
export interface EvaluationManifest {
  dataset: string;
  /** SHA-256 of the evaluated images, labels and shape. */
  dataHash: string;
  samples: number;
  /** Likewise of the gallery, where queries are looked up in other images. */
  galleryHash?: string;
  classes: number;
  /** Files of the whole set that it was opened without as they are broken, where that was allowed. */
  leftOut?: readonly string[];
  /** SHA-256 of the data that the ensemble was trained on, where it knows; null where no run made the network. */
  trainedOn?: string | null;
  /** null where no run made the network; else absent. */
  run?: null;
  /** Of such a network: its kind, and the file of its weights or the module that makes it. */
  network?: { kind: string; file: string; sha256: string };
  /** What of the evaluated images and classes it was trained on, where that was allowed although it would be refused. */
  seen?: Seen;
  members: number;
  /** Of members with two sets of batch normalisations: the set that they worked by. */
  batchNorm?: NormSet;
  /** Number of clusters. */
  k: number;
  clusterRestarts: number;
  norm: string;
  epsilon: number;
  epsilonSpace: string;
  protocol: string;
  retrieval: string;
  nmiNormaliser: 'arithmetic';
  seed: number;
  batchSize: number;
  /** What the networks ran on, and why there. */
  backend: { name: string; reason: string };
  /** What projection, clustering and search ran on. */
  device: string;
  versions: { 'eat-dml': string; tfjs: string; node: string };
}

type Given = Pick<
  EvaluationManifest,
  | 'classes'
  | 'trainedOn'
  | 'seen'
  | 'members'
  | 'batchNorm'
  | 'k'
  | 'clusterRestarts'
  | 'norm'
  | 'epsilon'
  | 'seed'
  | 'batchSize'
  | 'backend'
>;

export async function manifestOf(
  data: Source,
  given: Given,
  { gallery, signal }: { gallery?: Source; signal?: AbortSignal },
): Promise<EvaluationManifest> {
  const version = packageVersion();
  return {
    dataset: data.name,
    dataHash: await data.hash({ signal }),
    samples: data.labels.length,
    ...(data.leftOut && { leftOut: data.leftOut }),
    ...given,
    device: kernelDevice(),
    epsilonSpace: 'pixels in [0, 1], before any preprocessing',
    protocol: gallery
      ? 'transductive: attacked queries and the clean gallery are clustered together, through the whole ensemble'
      : 'transductive: the whole attacked set is clustered, through the whole ensemble',
    retrieval: gallery
      ? `attacked queries against a clean gallery of ${gallery.labels.length} other images`
      : 'attacked queries against the clean gallery, the own image left out',
    ...(gallery && { galleryHash: await gallery.hash({ signal }) }),
    nmiNormaliser: 'arithmetic',
    versions: { 'eat-dml': version, tfjs: tf.version_core, node: process.versions.node },
  };
}
