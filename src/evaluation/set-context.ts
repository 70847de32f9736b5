import * as tf from '#tf';
import { classMeans } from '../attacks/attack-context.js';
import type { AttackContext, AttackGallery } from '../attacks/index.js';
import type { Matrix } from '../kernels/index.js';
import { fromMatrix } from '../tfjs/index.js';

/** What objectives and protocols know of the clean set, for networks and for kernels. */
export interface SetContext extends AttackContext {
  /** The class means as kernels take them; `centroids` are the same. */
  means: Matrix;
  /** The clean embeddings, which are searched. */
  clean: Matrix;
  gallery: tf.Tensor2D;
  /** Other images that the set is searched in, where it is not searched in itself: their classes as rows of `means`, -1 for others. */
  searched?: { embeddings: tf.Tensor2D; labels: Int32Array };
}

/**
 * The context of clean embeddings [n, d], searched in those of other images where they are given; {@link disposeContext} frees its
 * tensors.
 */
export async function setContext(
  clean: Matrix,
  labels: ArrayLike<number>,
  searched?: { embeddings: Matrix; labels: Int32Array },
): Promise<SetContext> {
  const { labels: rows, means } = await classMeans(clean, labels);
  const context = { labels: rows, means, clean, centroids: fromMatrix(means), gallery: fromMatrix(clean) };
  if (!searched) return context;
  const rowOf = new Map(Array.from(labels, (label, i) => [label, rows[i]]));
  const classes = searched.labels.map((label) => rowOf.get(label) ?? -1);
  return { ...context, searched: { embeddings: fromMatrix(searched.embeddings), labels: classes } };
}

/** What the samples are searched in, as objectives take it. */
export function galleryOf({ searched, gallery, labels }: SetContext, samples: Int32Array): AttackGallery {
  return searched ? { ...searched, self: samples.map(() => -1) } : { embeddings: gallery, labels, self: samples };
}

export function disposeContext({ centroids, gallery, searched }: SetContext): void {
  tf.dispose([centroids, gallery, ...(searched ? [searched.embeddings] : [])]);
}
