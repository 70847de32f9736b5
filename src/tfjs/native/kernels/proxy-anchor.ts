import { matmul } from '../../../kernels/network/index.js';
import type { NativeKernel } from '../kernel.js';
import { scaleRows, throughScaling } from './unit-rows.js';

interface ProxyAnchorAttrs {
  alpha: number;
  delta: number;
}

/**
 * Proxy-Anchor (see src/losses) with its gradients: [loss, gradient by the embeddings, gradient by the proxies] of
 * embeddings [n, d], labels [n], proxies [classes, d]. The three products run on the addon.
 */
const proxyAnchor: NativeKernel<ProxyAnchorAttrs> = {
  kernelName: 'ProxyAnchor',
  run({ inputs: { embeddings, labels, proxies }, attrs, backend }) {
    const [n, d] = embeddings.shape;
    const classes = proxies.shape[0];
    const e = scaleRows(backend.floats(embeddings), d);
    const p = scaleRows(backend.floats(proxies), d);
    const similarity = matmul({ a: p.values, b: e.values, m: classes, n, k: d, transposeB: true });
    const classOf = backend.data.get(labels.dataId).values as Int32Array;
    const loss = lossAndSlopes(similarity, classOf, classes, attrs);
    const byRows = matmul({ a: similarity, b: p.values, m: n, n: d, k: classes, transposeA: true });
    const byProxies = matmul({ a: similarity, b: e.values, m: classes, n: d, k: n });
    return [
      backend.output([], Float32Array.of(loss)),
      backend.output([n, d], throughScaling(byRows, e, d)),
      backend.output([classes, d], throughScaling(byProxies, p, d)),
    ];
  },
};

/** The loss; `s` [classes, n] is replaced by the loss's derivative by it. */
function lossAndSlopes(s: Float32Array, classOf: Int32Array, classes: number, { alpha, delta }: ProxyAnchorAttrs) {
  const n = classOf.length;
  const present = new Set(classOf).size;
  const terms = new Float64Array(n);
  let loss = 0;
  for (let c = 0; c < classes; c++) {
    const own = s.subarray(c * n, (c + 1) * n);
    // log(1 + Σ e^z) of both sets, by their largest z so that nothing overflows.
    let [topPositive, topNegative] = [0, 0];
    for (let row = 0; row < n; row++) {
      const positive = classOf[row] === c;
      const z = positive ? -alpha * (own[row] - delta) : alpha * (own[row] + delta);
      terms[row] = z;
      if (positive) topPositive = z > topPositive ? z : topPositive;
      else topNegative = z > topNegative ? z : topNegative;
    }
    let [positives, negatives] = [Math.exp(-topPositive), Math.exp(-topNegative)];
    for (let row = 0; row < n; row++) {
      const positive = classOf[row] === c;
      const term = Math.exp(terms[row] - (positive ? topPositive : topNegative));
      terms[row] = term;
      if (positive) positives += term;
      else negatives += term;
    }
    loss += (topPositive + Math.log(positives)) / present + (topNegative + Math.log(negatives)) / classes;
    const [down, up] = [-alpha / (positives * present), alpha / (negatives * classes)];
    for (let row = 0; row < n; row++) own[row] = terms[row] * (classOf[row] === c ? down : up);
  }
  return loss;
}

export const lossKernels: NativeKernel[] = [proxyAnchor];
