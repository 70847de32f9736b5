import type * as tf from '#tf';
import { eachElement } from './each-element.js';
import type { ProgramBackend } from './program.js';

/** Rows scaled to unit length, and the gradient through it; what ../unit-rows.ts composes of operations. */
export const unitRowsKernels: Record<string, tf.KernelFunc> = {
  UnitRows({ inputs, backend }) {
    const on = backend as ProgramBackend;
    const x = inputs.x as tf.TensorInfo;
    const scales = rowScales(on, x);
    const rows = scaled(on, x, scales);
    on.disposeData(scales.dataId);
    return rows;
  },
  UnitRowsGrad({ inputs, backend }) {
    const on = backend as ProgramBackend;
    const { x, dy } = inputs as Record<'x' | 'dy', tf.TensorInfo>;
    const scales = rowScales(on, x);
    const dx = throughScaling(on, dy, x, scales);
    on.disposeData(scales.dataId);
    return dx;
  },
};

/** What is squared and summed below it counts as it: 1/√ of it is the largest scale. */
const LEAST_SQUARE = '1e-24';

/** [n]: 1 / length of each row of x [n, d]. */
export function rowScales(backend: ProgramBackend, x: tf.TensorInfo): tf.TensorInfo {
  const [n, d] = x.shape;
  return eachElement(backend, {
    key: 'rowScales',
    inputs: { x },
    shape: [n],
    uniforms: { d },
    code: `
      var square = 0.0;
      for (var j = 0; j < uniforms.d; j++) { square += x[i * uniforms.d + j] * x[i * uniforms.d + j]; }
      result[i] = inverseSqrt(max(square, ${LEAST_SQUARE}));`,
  });
}

export function scaled(backend: ProgramBackend, x: tf.TensorInfo, scales: tf.TensorInfo): tf.TensorInfo {
  return eachElement(backend, {
    key: 'scaledRows',
    inputs: { x, scales },
    shape: x.shape,
    uniforms: { d: x.shape[1] },
    code: 'result[i] = x[i] * scales[i / uniforms.d];',
  });
}

/** With u = s x the unit row: dx = s (dy - (dy·u) u); a row that is too short to be scaled to 1 has dx = s dy. */
export function throughScaling(backend: ProgramBackend, dy: tf.TensorInfo, x: tf.TensorInfo, scales: tf.TensorInfo) {
  const [n, d] = x.shape;
  const along = eachElement(backend, {
    key: 'alongRows',
    inputs: { x, dy, scales },
    shape: [n],
    uniforms: { d },
    code: `
      var sum = 0.0;
      for (var j = 0; j < uniforms.d; j++) { sum += x[i * uniforms.d + j] * dy[i * uniforms.d + j]; }
      let s = scales[i];
      result[i] = select(sum * s * s, 0.0, s >= inverseSqrt(${LEAST_SQUARE}));`,
  });
  const dx = eachElement(backend, {
    key: 'throughScaling',
    inputs: { x, dy, scales, along },
    shape: x.shape,
    uniforms: { d },
    code: 'let row = i / uniforms.d; result[i] = scales[row] * (dy[i] - along[row] * x[i]);',
  });
  backend.disposeData(along.dataId);
  return dx;
}
