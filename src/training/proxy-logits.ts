import * as tf from '#tf';
import type { Member } from './method.js';

/** Scale of cosine similarities before the softmax: half of Proxy-Anchor's alpha. */
const SCALE = 16;

/** What a classifier's logits are to defences made for classification: 16 cos(e, p_c), [n, classes]. */
export function proxyLogits(embeddings: tf.Tensor2D, { proxies }: Member): tf.Tensor2D {
  const p = proxies as tf.Tensor as tf.Tensor2D;
  const unit = tf.div<tf.Tensor2D>(p, tf.sqrt(tf.maximum(tf.sum(tf.square(p), 1, true), 1e-24)));
  return tf.mul(tf.matMul(embeddings, unit, false, true), SCALE);
}
