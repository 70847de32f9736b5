import type * as tf from '#tf';
import { type AttackRun, objective, pgd } from '../../attacks/index.js';
import { runAttackLater } from '../../attacks/run-attack.js';
import { clusterEmbeddings, clusteringScores, retrievalScores, scoreEmbeddings } from '../../clustering/index.js';
import type { Source } from '../../data/index.js';
import { throwIfAborted } from '../../errors.js';
import type { Matrix } from '../../kernels/index.js';
import type { Ensemble } from '../../models/index.js';
import { randomStream } from '../../random.js';
import { stayOnBackend, toMatrix } from '../../tfjs/index.js';
import type { Settings } from '../options.js';
import type { ValidationMetric } from './options.js';

/** Scores in [0, 1], the more the better; those under attack where it attacks. */
export type ValidationScores = Partial<Record<ValidationMetric, number>>;

type Given = NonNullable<Settings['validation']>;
type Shared = Pick<Settings, 'seed' | 'signal'>;

/** Images that are attacked at a time. */
const BATCH = 64;

/** What the ensemble is worth on images of classes that it does not learn from; the same bits for the same weights. */
export async function validationScores(
  ensemble: Ensemble,
  held: Source,
  { attack }: Pick<Given, 'attack'>,
  { seed, signal }: Shared,
): Promise<ValidationScores> {
  const clean = await ensemble.embed(held, { signal });
  const { clustering, retrieval } = await scoreEmbeddings(clean, held.labels, { recallAt: [1], seed, signal });
  const scores = { recallAt1: retrieval!.recallAt[1], nmi: clustering.nmi, mapAtR: retrieval!.mapAtR };
  return attack ? { ...scores, ...(await attackedScores(ensemble, held, clean, attack, { seed, signal })) } : scores;
}

/** A sample is attacked, looked up in the clean set, and clustered by itself. */
async function attackedScores(
  ensemble: Ensemble,
  held: Source,
  clean: Matrix,
  { count, ...attack }: NonNullable<Given['attack']>,
  { seed, signal }: Shared,
): Promise<ValidationScores> {
  const rows = randomStream(seed, 'validation-sample').permutation(held.labels.length).slice(0, count).sort();
  const labels = rows.map((row) => held.labels[row]);
  const settings = pgd(attack);
  const attacked: Matrix = { data: new Float32Array(rows.length * clean.cols), rows: rows.length, cols: clean.cols };
  for (let start = 0; start < rows.length; start += BATCH) {
    throwIfAborted(signal);
    stayOnBackend();
    const images = await held.batch(rows.subarray(start, start + BATCH), { signal });
    const path = ['validation', start / BATCH];
    const embedded = await embedAttacked(ensemble, { images, settings, seed, path });
    attacked.data.set((await toMatrix(embedded)).data, start * clean.cols);
    embedded.dispose();
    // A turn of the event loop lets signals through.
    await new Promise(setImmediate);
  }
  const gallery = { embeddings: clean, labels: held.labels, selfIndex: rows };
  const { recallAt, mapAtR } = await retrievalScores(attacked, labels, { recallAt: [1], gallery, signal });
  const found = await clusterEmbeddings(attacked, { k: new Set(labels).size, seed, restarts: 5, signal });
  return {
    attackedRecallAt1: recallAt[1],
    attackedNmi: clusteringScores(labels, found.labels).nmi,
    attackedMapAtR: mapAtR,
  };
}

async function embedAttacked(
  ensemble: Ensemble,
  attack: Pick<AttackRun, 'images' | 'settings' | 'seed' | 'path'>,
): Promise<tf.Tensor2D> {
  let attacked: tf.Tensor4D | undefined;
  try {
    attacked = await runAttackLater({ model: ensemble, objective: objective('embedding-shift'), ...attack });
    return ensemble.apply(attacked);
  } finally {
    attack.images.dispose();
    attacked?.dispose();
  }
}
