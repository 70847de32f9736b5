import * as tf from '#tf';
import { eachElement } from './each-element.js';
import type { ProgramBackend } from './program.js';
import { rowScales, scaled, throughScaling } from './unit-rows.js';

interface Attrs {
  alpha: number;
  delta: number;
  /** Classes that the batch has. */
  present: number;
}

/** Of a similarity s of a row and a proxy: whether the row is of the proxy's class, and what is in the exponent. */
const EXPONENT = `
  let own = labels[row] == proxy;
  let z = select(uniforms.alphaF * (s + uniforms.deltaF), -uniforms.alphaF * (s - uniforms.deltaF), own);`;

/**
 * Proxy-Anchor (see src/losses) with its gradients: [loss, gradient by the embeddings, gradient by the proxies] of
 * embeddings [n, d], int32 labels [n], proxies [classes, d].
 */
export const proxyAnchorKernel: tf.KernelFunc = (call) => {
  let results: tf.TensorInfo[] = [];
  // The products in between are tensors, which nobody else disposes.
  tf.tidy(() => {
    results = lossAndGradients(call);
  });
  return results;
};

function lossAndGradients({ inputs, backend, attrs }: Parameters<tf.KernelFunc>[0]): tf.TensorInfo[] {
  const on = backend as ProgramBackend;
  const { embeddings, labels, proxies } = inputs as Record<'embeddings' | 'labels' | 'proxies', tf.Tensor2D>;
  const { alpha, delta, present } = attrs as unknown as Attrs;
  const [n, classes] = [embeddings.shape[0], proxies.shape[0]];
  const uniforms = { n, classes, alphaF: alpha, deltaF: delta, presentF: present };
  const [scalesE, scalesP] = [rowScales(on, embeddings), rowScales(on, proxies)];
  const [e, p] = [scaled(on, embeddings, scalesE), scaled(on, proxies, scalesP)].map(
    (info) => tf.engine().makeTensorFromTensorInfo(info) as tf.Tensor2D,
  );
  const similarity = tf.matMul(e, p, false, true);
  const logs = logsOfSums(on, similarity, labels, uniforms);
  const slopes = slopesOf(on, { similarity, labels, logs }, uniforms);
  const byE = throughScaling(on, tf.matMul(slopes, p), embeddings, scalesE);
  const byP = throughScaling(on, tf.matMul(slopes, e, true, false), proxies, scalesP);
  const loss = lossOf(on, logs, uniforms);
  for (const { dataId } of [scalesE, scalesP, logs]) on.disposeData(dataId);
  return [loss, byE, byP];
}

type Uniforms = Record<'n' | 'classes' | 'alphaF' | 'deltaF' | 'presentF', number>;

/** [2, classes]: log(1 + Σ e^z) of each proxy's positives, then of its negatives, by the largest z so that nothing overflows. */
function logsOfSums(on: ProgramBackend, similarity: tf.TensorInfo, labels: tf.TensorInfo, uniforms: Uniforms) {
  const over = (code: string) => `
    for (var row = 0; row < uniforms.n; row++) {
      let s = similarity[row * uniforms.classes + proxy];
      ${EXPONENT}
      if (own == positives) { ${code} }
    }`;
  return eachElement(on, {
    key: 'logsOfSums',
    inputs: { similarity, labels },
    shape: [2, uniforms.classes],
    uniforms: { ...uniforms },
    code: `
      let proxy = i % uniforms.classes;
      let positives = i < uniforms.classes;
      var top = 0.0;
      ${over('top = max(top, z);')}
      var sum = exp(-top);
      ${over('sum += exp(z - top);')}
      result[i] = top + log(sum);`,
  });
}

/** [n, classes]: the loss's derivative by each similarity; e^(z - log(1 + Σ)) is a share, without overflow. */
function slopesOf(
  on: ProgramBackend,
  inputs: Record<'similarity' | 'labels' | 'logs', tf.TensorInfo>,
  uniforms: Uniforms,
) {
  const info = eachElement(on, {
    key: 'proxyAnchorSlopes',
    inputs,
    shape: [uniforms.n, uniforms.classes],
    uniforms: { ...uniforms },
    code: `
      let proxy = i % uniforms.classes;
      let row = i / uniforms.classes;
      let s = similarity[i];
      ${EXPONENT}
      let share = exp(z - logs[select(uniforms.classes, 0, own) + proxy]);
      result[i] = uniforms.alphaF * select(share / f32(uniforms.classes), -share / uniforms.presentF, own);`,
  });
  return tf.engine().makeTensorFromTensorInfo(info) as tf.Tensor2D;
}

function lossOf(on: ProgramBackend, logs: tf.TensorInfo, uniforms: Uniforms) {
  return eachElement(on, {
    key: 'proxyAnchorLoss',
    inputs: { logs },
    shape: [],
    uniforms: { ...uniforms },
    code: `
      var positives = 0.0;
      var negatives = 0.0;
      for (var proxy = 0; proxy < uniforms.classes; proxy++) {
        positives += logs[proxy];
        negatives += logs[uniforms.classes + proxy];
      }
      result[i] = positives / uniforms.presentF + negatives / f32(uniforms.classes);`,
  });
}
