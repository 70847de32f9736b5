import { z } from 'zod';
import * as tf from '#tf';
import { invalid } from '../errors.js';
import { parseOptions, positive } from '../options.js';
import { part } from '../part.js';
import { unitRows, valuesOf } from '../tfjs/index.js';
import type { MetricLoss } from './metric-loss.js';
import { checkBatch, NEVER } from './pairs.js';

export const proxyAnchorOptions = z.strictObject({
  alpha: positive.default(32).describe('sharpness'),
  delta: z.number().default(0.1).describe('margin on the cosine similarity'),
});

/** Options of {@link proxyAnchor}. */
export type ProxyAnchorOptions = z.input<typeof proxyAnchorOptions>;

/**
 * Proxy-Anchor (Kim et al., CVPR 2020), s the cosine similarity, P+ the proxies with positives in the batch:
 * (1/|P+|) Σ_{p in P+} log(1 + Σ_{x in X_p+} e^{-alpha (s(x,p) - delta)})
 *  + (1/|P|) Σ_p log(1 + Σ_{x in X_p-} e^{alpha (s(x,p) + delta)}).
 * Embeddings [n, d] and proxies [classes, d] are scaled to unit length inside; `labels` [n] are rows of the proxies.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 *
 * @example
 * ```ts
 * import * as tf from 'eat-dml/tf';
 * import { proxyAnchor } from 'eat-dml';
 *
 * const loss = proxyAnchor({ alpha: 32, delta: 0.1 });
 * const labels = tf.tensor1d([0, 0, 1, 1], 'int32');
 * console.log(loss(tf.randomNormal([4, 8]), labels, tf.randomNormal([2, 8])).arraySync());
 * ```
 */
export function proxyAnchor(options: ProxyAnchorOptions = {}): MetricLoss {
  const { alpha, delta } = parseOptions(proxyAnchorOptions, options);
  const loss = (embeddings: tf.Tensor2D, labels: tf.Tensor1D, proxies: tf.Tensor2D): tf.Scalar => {
    const present = checkedLabels(embeddings, labels, proxies);
    if (tf.getKernel('ProxyAnchor', tf.getBackend())) {
      return fused(embeddings, labels, proxies, { alpha, delta, present });
    }
    return tf.tidy(() => {
      const classes = proxies.shape[0];
      const similarity = tf.matMul(unitRows(embeddings), unitRows(proxies), false, true);
      const own = tf.cast(tf.oneHot(tf.cast(labels, 'int32'), classes), 'bool');
      const positive = logOnePlusSum(tf.mul(tf.sub(similarity, delta), -alpha), own);
      const negative = logOnePlusSum(tf.mul(tf.add(similarity, delta), alpha), tf.logicalNot(own));
      return tf.add<tf.Scalar>(tf.div(tf.sum(positive), present), tf.div(tf.sum(negative), classes));
    });
  };
  return Object.assign(loss, { config: { name: proxyAnchorPart.name, alpha, delta } });
}

export const proxyAnchorPart = part(
  'proxy-anchor',
  'Proxy-Anchor (Kim et al., CVPR 2020)',
  proxyAnchorOptions,
  proxyAnchor,
);

/** The loss and both gradients at once, where the backend has that as a kernel. */
function fused(
  embeddings: tf.Tensor2D,
  labels: tf.Tensor1D,
  proxies: tf.Tensor2D,
  attrs: z.output<typeof proxyAnchorOptions> & { present: number },
) {
  const op = tf.customGrad((...args) => {
    const [e, p, save] = args as unknown as [tf.Tensor2D, tf.Tensor2D, tf.GradSaveFunc];
    const inputs = { embeddings: e, labels: tf.cast(labels, 'int32'), proxies: p } as unknown as tf.NamedTensorMap;
    const [value, byEmbeddings, byProxies] = tf.engine().runKernel('ProxyAnchor', inputs, { ...attrs }) as tf.Tensor[];
    save([byEmbeddings, byProxies]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => saved.map((gradient) => tf.mul(gradient, dy));
    return { value: value as tf.Scalar, gradFunc };
  });
  return op(embeddings, proxies) as tf.Scalar;
}

/** log(1 + Σ_{rows in mask} e^z) of each column, without overflow: 1 is e^0, one more row. No row in the mask gives 0. */
function logOnePlusSum(z: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  const masked = tf.where(mask, z, tf.fill(z.shape, NEVER));
  return tf.logSumExp(tf.concat([masked, tf.zeros([1, z.shape[1]!])], 0), 0);
}

/** Checks the three shapes and the labels' range; returns how many classes the batch holds. */
function checkedLabels(embeddings: tf.Tensor2D, labels: tf.Tensor1D, proxies: tf.Tensor2D): number {
  checkBatch(embeddings, labels);
  const cols = embeddings.shape[1];
  const fits = proxies instanceof tf.Tensor && !proxies.isDisposed && proxies.rank === 2 && proxies.shape[1] === cols;
  if (!fits) throw invalid('proxies', `a tensor [classes, ${cols}]`, proxies);
  const values = Array.from(valuesOf(labels));
  const bad = values.find((label) => !Number.isInteger(label) || label < 0 || label >= proxies.shape[0]);
  if (bad !== undefined) throw invalid('labels', `rows of proxies, 0 to ${proxies.shape[0] - 1}`, bad);
  return new Set(values).size;
}
