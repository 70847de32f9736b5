import * as tf from '#tf';
import { embedderWith, type TrainingMode } from '../models/embedder.js';
import type { Embedder } from '../models/index.js';

/** Images that went through the network at once as far as the loss can tell, and the loss's gradient by their embeddings. */
interface Embedded {
  images: tf.Tensor4D;
  training?: TrainingMode;
  gradient?: tf.Tensor2D;
}

/**
 * The loss and its gradients as tf.variableGrads gives them, with at most `size` images in the network at a time (GradCache, Gao et
 * al., 2021): a loss over a batch is no mean of losses over its parts, so all are embedded without a gradient, the loss is
 * differentiated by the embeddings, and then each part goes through the network again, back with its share of that gradient. Exact
 * where batch statistics are frozen; where they are not, they are those of a part. `lossOf` gets the embedder to embed by.
 */
export function microBatchGradients(
  lossOf: (embedder: Embedder) => tf.Scalar,
  embedder: Embedder,
  { network, others }: { network: readonly tf.Variable[]; others: readonly tf.Variable[] },
  size: number,
): { value: tf.Scalar; grads: tf.NamedTensorMap } {
  const embedded: Embedded[] = [];
  const anchor = tf.variable(tf.scalar(0));
  try {
    const whole = recording(embedder, anchor, size, embedded);
    const { value, grads } = tf.variableGrads(() => lossOf(whole), [anchor, ...others]);
    delete grads[anchor.name];
    return { value, grads: { ...grads, ...networkGradients(embedder, embedded, network, size) } };
  } finally {
    anchor.dispose();
    for (const { images, gradient } of embedded) tf.dispose([images, ...(gradient ? [gradient] : [])]);
  }
}

/** The embedder, part by part and without a gradient; what it embeds is noted, and so is the gradient that comes back to it. */
function recording(embedder: Embedder, anchor: tf.Variable, size: number, embedded: Embedded[]): Embedder {
  const apply = (images: tf.Tensor4D, training?: TrainingMode): tf.Tensor2D => {
    const note: Embedded = { images: tf.keep(tf.clone(images)), training };
    embedded.push(note);
    // The anchor is what makes tfjs come back here; nothing depends on it.
    const embed = tf.customGrad((at) => ({
      value: tf.concat(partsOf(images, size).map((part) => embedder.apply(part, training))),
      gradFunc: (gradient: tf.Tensor) => {
        note.gradient = tf.keep(tf.clone(gradient as tf.Tensor2D));
        return tf.zerosLike(at as tf.Tensor);
      },
    }));
    return embed(anchor) as tf.Tensor2D;
  };
  return embedderWith(embedder, { apply: Object.assign(apply, { frozen: embedder.apply.frozen }) });
}

/** The gradients of the network's variables, summed over all parts. Running statistics, which have moved once, stay. */
function networkGradients(
  embedder: Embedder,
  embedded: readonly Embedded[],
  variables: readonly tf.Variable[],
  size: number,
): tf.NamedTensorMap {
  const sums: tf.NamedTensorMap = {};
  if (variables.length === 0) return sums;
  const trainable = new Set(embedder.variables());
  const statistics = [...embedder.weights.values()].filter((variable) => !trainable.has(variable));
  const before = statistics.map((variable) => tf.clone(variable));
  for (const { images, training, gradient } of embedded) {
    if (!gradient) continue;
    const gradients = partsOf(gradient, size);
    for (const [i, part] of partsOf(images, size).entries()) {
      const pulled = () => tf.sum<tf.Scalar>(tf.mul(embedder.apply(part, training), gradients[i]));
      const { value, grads } = tf.variableGrads(pulled, [...variables]);
      value.dispose();
      for (const [name, grad] of Object.entries(grads)) {
        const sum = sums[name];
        sums[name] = sum ? tf.add(sum, grad) : grad;
        if (sum) tf.dispose([sum, grad]);
      }
    }
  }
  for (const [i, variable] of statistics.entries()) variable.assign(before[i]);
  return sums;
}

/**
 * Another member in the loss of one that learns: embedded part by part as a constant, so that nothing of its passes is kept for a
 * gradient that no variable of the other needs.
 */
export function heldInParts(embedder: Embedder, size: number): Embedder {
  const apply = (images: tf.Tensor4D, training?: TrainingMode): tf.Tensor2D => {
    const embed = tf.customGrad((x) => ({
      value: tf.concat(partsOf(x as tf.Tensor4D, size).map((part) => embedder.apply(part, training))),
      gradFunc: () => tf.zerosLike(images),
    }));
    return embed(images) as tf.Tensor2D;
  };
  return embedderWith(embedder, { apply: Object.assign(apply, { frozen: embedder.apply.frozen }) });
}

function partsOf<T extends tf.Tensor>(rows: T, size: number): T[] {
  const [count, ...rest] = rows.shape;
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => {
    const start = i * size;
    const all = rest.map(() => 0);
    return tf.slice(rows, [start, ...all], [Math.min(size, count - start), ...rest]);
  });
}
