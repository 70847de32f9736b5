import type * as tf from '#tf';
import type { BatchNormTrainingAttrs } from '../ops/batch-norm-training.js';
import { columnSums } from './column-sums.js';
import { eachElement } from './each-element.js';
import type { ProgramBackend } from './program.js';

/**
 * Batch normalisation in training: x [..., channels] as rows of channels. By tfjs's own operations the statistics take a transposed copy
 * of x, and the gradient a dozen passes.
 */
export const batchNormKernels: Record<string, tf.KernelFunc> = {
  BatchMoments: ({ inputs, backend }) => moments(inputs.x as tf.TensorInfo, backend as ProgramBackend),
  BatchNormActivated: ({ inputs, backend, attrs }) =>
    normalise(inputs as Statistics, backend as ProgramBackend, attrs as unknown as BatchNormTrainingAttrs),
  BatchNormTrainingGrad: ({ inputs, backend, attrs }) =>
    gradient(inputs as Statistics & Gradient, backend as ProgramBackend, attrs as unknown as BatchNormTrainingAttrs),
};

type Statistics = Record<'x' | 'mean' | 'variance' | 'scale' | 'offset', tf.TensorInfo>;
type Gradient = Record<'dy', tf.TensorInfo>;

function sizesOf({ shape }: tf.TensorInfo) {
  const columns = shape.at(-1)!;
  return { rows: shape.slice(0, -1).reduce((product, length) => product * length, 1), columns };
}

/** A sum per channel as a tensor [channels]. */
const perChannel = (sum: tf.TensorInfo, channels: number) => ({ ...sum, shape: [channels] });

/** In two passes: the variance is of what is left when the mean is taken off. */
function moments(x: tf.TensorInfo, backend: ProgramBackend): tf.TensorInfo[] {
  const sizes = sizesOf(x);
  const uniforms = { shareF: 1 / sizes.rows };
  const mean = perChannel(
    columnSums(backend, { key: 'mean', inputs: { x }, ...sizes, terms: ['x[i] * uniforms.shareF'], uniforms }),
    sizes.columns,
  );
  const variance = columnSums(backend, {
    key: 'variance',
    inputs: { x, mean },
    ...sizes,
    before: 'let apart = x[i] - mean[c];',
    terms: ['apart * apart * uniforms.shareF'],
    uniforms,
  });
  return [mean, perChannel(variance, sizes.columns)];
}

/** WGSL of the normalised value and of what the activation gets. */
const NORMALISED = `
  let inverse = inverseSqrt(variance[c] + uniforms.epsilonF);
  let normalised = (x[i] - mean[c]) * inverse;
  let z = normalised * scale[c] + offset[c];`;

const ACTIVATED = { none: 'z', relu: 'max(z, 0.0)', relu6: 'clamp(z, 0.0, 6.0)' };
/** Where the activation lets a gradient pass, as `passing` has it. */
const PASSING = { none: 'true', relu: 'z > 0.0', relu6: 'z > 0.0 && z < 6.0' };

function normalise(inputs: Statistics, backend: ProgramBackend, attrs: BatchNormTrainingAttrs): tf.TensorInfo {
  const { epsilon, activation = 'none' } = attrs;
  return eachElement(backend, {
    key: `batchNorm_${activation}`,
    inputs,
    shape: inputs.x.shape,
    uniforms: { columns: sizesOf(inputs.x).columns, epsilonF: epsilon },
    code: `let c = i % uniforms.columns; ${NORMALISED} result[i] = ${ACTIVATED[activation]};`,
  });
}

/** [dx, dScale, dOffset]: two sums over the rows, then each element. */
function gradient(inputs: Statistics & Gradient, backend: ProgramBackend, attrs: BatchNormTrainingAttrs) {
  const { epsilon, activation = 'none' } = attrs;
  const { rows, columns } = sizesOf(inputs.x);
  const before = `${NORMALISED} let dz = select(0.0, dy[i], ${PASSING[activation]});`;
  const key = `batchNormGradient_${activation}`;
  const sums = columnSums(backend, {
    key: `${key}_sums`,
    inputs,
    rows,
    columns,
    before,
    terms: ['dz * normalised', 'dz'],
    uniforms: { epsilonF: epsilon },
  });
  const dx = eachElement(backend, {
    key,
    inputs: { ...inputs, sums },
    shape: inputs.x.shape,
    uniforms: { columns, epsilonF: epsilon, shareF: 1 / rows },
    code: `
      let c = i % uniforms.columns;
      ${before}
      let projected = (normalised * sums[c] + sums[uniforms.columns + c]) * uniforms.shareF;
      result[i] = (dz - projected) * scale[c] * inverse;`,
  });
  const half = (first: number) =>
    eachElement(backend, {
      key: 'halfOfSums',
      inputs: { sums },
      shape: [columns],
      uniforms: { first },
      code: 'result[i] = sums[uniforms.first + i];',
    });
  const both = [half(0), half(columns)];
  backend.disposeData(sums.dataId);
  return [dx, ...both];
}
