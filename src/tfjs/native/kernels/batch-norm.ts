import type * as tf from '#tf';
import { batchMoments, batchNorm, batchNormGradient } from '../../../kernels/network/index.js';
import type { BatchNormTrainingAttrs } from '../../ops/batch-norm-training.js';
import type { MovingAverageAttrs } from '../../ops/moving-average.js';
import type { NativeKernel } from '../kernel.js';

/** x as rows of channels. */
function rowsOf(x: tf.TensorInfo) {
  const channels = x.shape.at(-1)!;
  return { rows: x.shape.slice(0, -1).reduce((product, size) => product * size, 1), channels };
}

/** tfjs's own batch normalisation, with given statistics. */
const fusedBatchNorm: NativeKernel<tf.FusedBatchNormAttrs> = {
  kernelName: 'FusedBatchNorm',
  accepts({ inputs: { x, mean, variance, scale, offset } }) {
    return [mean, variance, scale, offset].every((t) => !t || (t.shape.length === 1 && t.shape[0] === x.shape.at(-1)));
  },
  run({ inputs: { x, mean, variance, scale, offset }, attrs, backend }) {
    const values = batchNorm({
      x: backend.floats(x),
      ...rowsOf(x),
      mean: backend.floats(mean),
      variance: backend.floats(variance),
      scale: scale && backend.floats(scale),
      offset: offset && backend.floats(offset),
      epsilon: attrs.varianceEpsilon ?? 0.001,
      out: backend.allocate(x.shape),
    });
    return backend.output(x.shape, values);
  },
};

/** Mean and biased variance of each channel. */
const batchMomentsKernel: NativeKernel = {
  kernelName: 'BatchMoments',
  run({ inputs: { x }, backend }) {
    const size = rowsOf(x);
    const { mean, variance } = batchMoments({ x: backend.floats(x), ...size });
    return [mean, variance].map((values) => backend.output([size.channels], values));
  },
};

/** Batch normalisation with its activation. */
const batchNormActivated: NativeKernel<BatchNormTrainingAttrs> = {
  kernelName: 'BatchNormActivated',
  run({ inputs: { x, mean, variance, scale, offset }, attrs, backend }) {
    const y = batchNorm({
      x: backend.floats(x),
      ...rowsOf(x),
      mean: backend.floats(mean),
      variance: backend.floats(variance),
      scale: backend.floats(scale),
      offset: backend.floats(offset),
      ...attrs,
      out: backend.allocate(x.shape),
    });
    return backend.output(x.shape, y);
  },
};

/** The gradient where the statistics are those of x itself: [dx, dScale, dOffset]. */
const batchNormTrainingGrad: NativeKernel<BatchNormTrainingAttrs> = {
  kernelName: 'BatchNormTrainingGrad',
  run({ inputs, attrs, backend }) {
    const { x, dy, mean, variance, scale, offset } = inputs;
    const size = rowsOf(x);
    const { dx, dScale, dOffset } = batchNormGradient({
      x: backend.floats(x),
      dy: backend.floats(dy),
      ...size,
      mean: backend.floats(mean),
      variance: backend.floats(variance),
      scale: backend.floats(scale),
      offset: backend.floats(offset),
      ...attrs,
      dx: backend.allocate(x.shape),
    });
    const perChannel = (v: Float32Array) => backend.output([size.channels], v);
    return [backend.output(x.shape, dx), perChannel(dScale), perChannel(dOffset)];
  },
};

/** Of a few hundred channels: the way into the addon would take longer. */
const movingAverage: NativeKernel<MovingAverageAttrs> = {
  kernelName: 'MovingAverage',
  run({ inputs: { average, value }, attrs: { momentum, scale }, backend }) {
    const [old, added, out] = [backend.floats(average), backend.floats(value), backend.allocate(average.shape)];
    const share = (1 - momentum) * scale;
    for (let i = 0; i < out.length; i++) out[i] = momentum * old[i] + share * added[i];
    return backend.output(average.shape, out);
  },
};

export const batchNormKernels: NativeKernel[] = [
  fusedBatchNorm,
  movingAverage,
  batchMomentsKernel,
  batchNormActivated,
  batchNormTrainingGrad,
];
