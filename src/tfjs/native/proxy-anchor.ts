import { matmulSync } from '../../kernels/matmul.js';
import type { NativeKernel } from './kernel.js';

interface ProxyAnchorAttrs {
  alpha: number;
  delta: number;
}

interface UnitRows {
  values: Float32Array;
  /** 1 / |row|; tiny rows are scaled by 1e12, which is a constant to the gradient. */
  inverse: Float64Array;
  tiny: boolean[];
}

const SMALLEST = 1e-24;

/**
 * Proxy-Anchor (see src/losses) with its gradients: [loss, gradient by the embeddings, gradient by the proxies] of
 * embeddings [n, d], labels [n], proxies [classes, d]. The three products run on the addon.
 */
const proxyAnchor: NativeKernel<ProxyAnchorAttrs> = {
  kernelName: 'ProxyAnchor',
  run({ inputs: { embeddings, labels, proxies }, attrs, backend }) {
    const [n, d] = embeddings.shape;
    const classes = proxies.shape[0];
    const e = unitRows(backend.floats(embeddings), d);
    const p = unitRows(backend.floats(proxies), d);
    const similarity = matmulSync({ a: p.values, b: e.values, m: classes, n, k: d, transposeB: true });
    const classOf = backend.data.get(labels.dataId).values as Int32Array;
    const loss = lossAndSlopes(similarity, classOf, classes, attrs);
    const byRows = matmulSync({ a: similarity, b: p.values, m: n, n: d, k: classes, transposeA: true });
    const byProxies = matmulSync({ a: similarity, b: e.values, m: classes, n: d, k: n });
    return [
      backend.output([], Float32Array.of(loss)),
      backend.output([n, d], throughScaling(byRows, e, d)),
      backend.output([classes, d], throughScaling(byProxies, p, d)),
    ];
  },
};

function unitRows(x: Float32Array, d: number): UnitRows {
  const rows = x.length / d;
  const result = {
    values: new Float32Array(x.length),
    inverse: new Float64Array(rows),
    tiny: new Array<boolean>(rows),
  };
  for (let row = 0; row < rows; row++) {
    let squares = 0;
    for (let i = row * d; i < (row + 1) * d; i++) squares += x[i] * x[i];
    result.tiny[row] = squares < SMALLEST;
    const inverse = 1 / Math.sqrt(Math.max(squares, SMALLEST));
    result.inverse[row] = inverse;
    for (let i = row * d; i < (row + 1) * d; i++) result.values[i] = x[i] * inverse;
  }
  return result;
}

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

/** The gradient by rows x from that by x/|x|: (g - x̂ (x̂·g)) / |x|. */
function throughScaling(g: Float32Array, { values, inverse, tiny }: UnitRows, d: number): Float32Array {
  for (let row = 0; row < inverse.length; row++) {
    let along = 0;
    if (!tiny[row]) for (let i = row * d; i < (row + 1) * d; i++) along += values[i] * g[i];
    for (let i = row * d; i < (row + 1) * d; i++) g[i] = (g[i] - values[i] * along) * inverse[row];
  }
  return g;
}

export const lossKernels: NativeKernel[] = [proxyAnchor];
