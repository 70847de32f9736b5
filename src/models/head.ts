import type * as tf from '@tensorflow/tfjs';
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
