import * as tf from '#tf';
import { type Embedder, embedderWith, type FrozenEmbedder, type TrainingMode } from './embedder.js';

/** Passes of one image through one network. */
export interface Passes {
  forward: number;
  backward: number;
}

/** The embedder with every pass through it counted in `passes`, whoever makes it. The values are its own, to the bit. */
export function counted(embedder: Embedder, passes: Passes): Embedder {
  const through = (images: tf.Tensor4D, embed: () => tf.Tensor2D) => {
    passes.forward += images.shape[0];
    return countingBackward(embed(), passes);
  };
  const apply = (images: tf.Tensor4D, training?: TrainingMode) =>
    through(images, () => embedder.apply(images, training));
  const frozen = (): FrozenEmbedder => {
    const pass = embedder.apply.frozen!();
    return { apply: (images) => through(images, () => pass.apply(images)) };
  };
  return embedderWith(embedder, {
    apply: Object.assign(apply, embedder.apply.frozen && { frozen }),
    ...(embedder.by && { by: (set) => counted(embedder.by!(set), passes) }),
  });
}

/** `embeddings`, whose gradient is counted where it is asked for. */
function countingBackward(embeddings: tf.Tensor2D, passes: Passes): tf.Tensor2D {
  return tf.tidy(() => {
    const pass = tf.customGrad((x) => ({
      value: tf.clone(x as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => {
        passes.backward += embeddings.shape[0];
        return tf.clone(dy);
      },
    }));
    return pass(embeddings) as tf.Tensor2D;
  });
}
