import { z } from 'zod';
import type { Source } from '../../data/index.js';
import { invalid, inWordsOf } from '../../errors.js';
import type { KMeansResult } from '../../kernels/index.js';
import { part } from '../../part.js';
import { type ClusterScores, clustersOf, inductiveScores, UNDEFINED_CLUSTERS } from '../scores.js';
import type { Protocol, ProtocolRun } from './protocol.js';

export interface OfAttack {
  /** The attacked images assigned to clusters that were found on clean data. */
  inductive: ClusterScores;
}

const inductive: Protocol<OfAttack> = async (run) => {
  const { centroids } = run.reference ? await clustersOfReference(run, run.reference) : await run.clean.clusters();
  return {
    attacked: async ({ embeddings, labels }) => ({
      inductive: await inductiveScores(embeddings, labels, centroids, run.scoring),
    }),
    notRun: { inductive: UNDEFINED_CLUSTERS },
  };
};

export const inductivePart = part(
  'inductive',
  'attacked images are assigned to clusters of clean data, the set itself or `reference` (always)',
  z.strictObject({}),
  () => inductive,
);

async function clustersOfReference({ ensemble, scoring }: ProtocolRun, reference: Source): Promise<KMeansResult> {
  const { k, signal } = scoring;
  const { length } = reference.labels;
  if (length < k) throw invalid('reference', `at least ${k} images, as many as clusters,`, length);
  const embeddings = await ensemble.embed(reference, { signal }).catch((error) => {
    throw inWordsOf(error, { images: 'the images of reference' });
  });
  return clustersOf(embeddings, scoring);
}
