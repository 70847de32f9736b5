import * as tf from '@tensorflow/tfjs';
import { classMeans } from '../attacks/attack-context.js';
import type { AttackContext } from '../attacks/index.js';
import type { Matrix } from '../kernels/index.js';
import { fromMatrix } from '../tfjs/index.js';

/** What objectives and protocols know of the clean set, for networks and for kernels. */
export interface SetContext extends AttackContext {
  /** The class means as kernels take them; `centroids` are the same. */
  means: Matrix;
  /** The clean embeddings, which are searched. */
  clean: Matrix;
  gallery: tf.Tensor2D;
}

/** The context of clean embeddings [n, d]; {@link disposeContext} frees its tensors. */
export async function setContext(clean: Matrix, labels: ArrayLike<number>): Promise<SetContext> {
  const { labels: rows, means } = await classMeans(clean, labels);
  return { labels: rows, means, clean, centroids: fromMatrix(means), gallery: fromMatrix(clean) };
}

export function disposeContext({ centroids, gallery }: SetContext): void {
  tf.dispose([centroids, gallery]);
}
