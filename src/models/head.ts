import * as tf from '#tf';
import { EatDmlError } from '../errors.js';
import type { Embedder } from './embedder.js';

/**
 * The variables of an embedder's head: those it names itself, else those of its last dense layer; none where it has none.
 * ERR_ARGUMENT where an embedder is neither described by layers nor says which they are.
 */
export function headOf(embedder: Embedder): tf.Variable[] {
  if (embedder.head) return embedder.head();
  if (!embedder.layers) {
    const message =
      'Expected an embedder that says which of its variables are its head but received one without head().';
    throw new EatDmlError('ERR_ARGUMENT', message);
  }
  const last = embedder.layers.filter((layer) => layer.type === 'dense').at(-1);
  if (!last) return [];
  return [...embedder.weights].flatMap(([name, variable]) => (name.startsWith(`${last.name}/`) ? [variable] : []));
}

/** What `heads` of a network are. */
export const HEADS =
  'embeddings side by side over one trunk, each of dimension columns and of a length of its own, as methods with heads train them (default 1)';

/** Embeddings [n, columns], or proxies, cut into the columns of each head; a head's rows are 1/sqrt(heads) as long as whole ones. */
export function headsOf({ heads = 1 }: Pick<Embedder, 'heads'>, rows: tf.Tensor2D): tf.Tensor2D[] {
  return heads === 1 ? [rows] : tf.split(rows, heads, 1);
}
