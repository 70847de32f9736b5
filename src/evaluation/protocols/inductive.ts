import { z } from 'zod';
import { invalid, inWordsOf } from '../../errors.js';
import type { Matrix } from '../../kernels/index.js';
import { part } from '../../part.js';
import { clustersOf, inductiveScores, UNDEFINED_CLUSTERS } from '../scores.js';
import type { Protocol, ProtocolRun } from './protocol.js';

/** Attacked images are assigned to the clusters of clean data. */
const inductive: Protocol = async (run) => {
  const { data, scoring } = run;
  const { centroids } = await clustersOf(await referenceOf(run), scoring);
  return {
    attacked: async (embeddings) => ({
      inductive: await inductiveScores(embeddings, data.labels, centroids, scoring.signal),
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

/** What the clusters are found on: reference data, or the clean set itself. */
async function referenceOf({ ensemble, gallery, reference, scoring: { k, signal } }: ProtocolRun): Promise<Matrix> {
  if (!reference) return gallery;
  if (reference.length < k) throw invalid('reference', `at least ${k} images, as many as clusters,`, reference.length);
  return ensemble.embed(reference, { signal }).catch((error) => {
    throw inWordsOf(error, { images: 'the images of reference' });
  });
}
