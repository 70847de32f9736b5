import * as tf from '#tf';
import { passing, type Rectifier } from './conv-relu.js';
import { spread, spreadBatch } from './spread-batch.js';

export interface BatchNormTrainingAttrs {
  /** Added to the variance. */
  epsilon: number;
  /** Applied to the result (default none). */
  activation?: 'none' | Rectifier;
}

export interface BatchNormTraining<T extends tf.Tensor> {
  y: T;
  /** [channels], of this batch; not differentiable. */
  mean: tf.Tensor1D;
  /** [channels], biased; not differentiable. */
  variance: tf.Tensor1D;
  /** Rows that these are of. */
  samples: number;
}

/**
 * Batch normalisation of x [..., channels] by its own statistics over all axes but the last (of `withSpreadBatch` by those of the whole):
 * y = act(scale · (x - mean) / √(variance + epsilon) + offset), scale and offset [channels].
 * Differentiable in x, scale and offset. With dz = dy where act let the value pass, else 0, x̂ the normalised x, n rows:
 * dOffset = Σ dz, dScale = Σ dz·x̂, dx = scale / √(variance + epsilon) · (dz - dOffset/n - x̂·dScale/n).
 */
export function batchNormTraining<T extends tf.Tensor>(
  x: T,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  attrs: BatchNormTrainingAttrs,
): BatchNormTraining<T> {
  const own = tf.getKernel('BatchMoments', tf.getBackend()) ? fused : composed;
  const { steps, samples } = spreadBatch() ? spread(own, spreadBatch()!) : { steps: own, samples: () => rowsOf(x) };
  const [mean, variance] = steps.moments(x);
  const normalise = tf.customGrad((...args) => {
    const [input, gamma, beta, save] = args as unknown as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.GradSaveFunc];
    const y = steps.normalise({ x: input, mean, variance, scale: gamma, offset: beta }, attrs);
    save([input, mean, variance, gamma, beta, y]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [x, mean, variance, scale, offset, y] = saved as [tf.Tensor, ...tf.Tensor1D[]];
      return steps.gradient({ x, mean, variance, scale, offset, y, dy }, attrs);
    };
    return { value: y, gradFunc };
  });
  return { y: normalise(x, scale, offset) as T, mean, variance, samples: samples() };
}

export interface Statistics {
  x: tf.Tensor;
  mean: tf.Tensor1D;
  variance: tf.Tensor1D;
  scale: tf.Tensor1D;
  offset: tf.Tensor1D;
}

/** The three parts, by a backend's own kernels or by tfjs's. */
export interface BatchNormSteps {
  moments(x: tf.Tensor): [tf.Tensor1D, tf.Tensor1D];
  normalise(inputs: Statistics, attrs: BatchNormTrainingAttrs): tf.Tensor;
  gradient(inputs: Statistics & { y: tf.Tensor; dy: tf.Tensor }, attrs: BatchNormTrainingAttrs): tf.Tensor[];
}

const run = (name: string, inputs: object, attrs: object = {}) =>
  tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attrs as never) as unknown;

const fused: BatchNormSteps = {
  moments: (x) => run('BatchMoments', { x }) as [tf.Tensor1D, tf.Tensor1D],
  normalise: (inputs, attrs) => run('BatchNormActivated', { ...inputs }, attrs) as tf.Tensor,
  gradient: ({ y, ...inputs }, attrs) => run('BatchNormTrainingGrad', inputs, attrs) as tf.Tensor[],
};

const rowsOf = (x: tf.Tensor) => x.size / x.shape[x.rank - 1];

const allButLast = (x: tf.Tensor) => x.shape.slice(1).map((_, axis) => axis);

const composed: BatchNormSteps = {
  moments(x) {
    const { mean, variance } = tf.moments(x, allButLast(x));
    return [mean as tf.Tensor1D, variance as tf.Tensor1D];
  },
  normalise({ x, mean, variance, scale, offset }, { epsilon, activation }) {
    const y = tf.batchNorm(x, mean, variance, offset, scale, epsilon);
    if (activation === 'relu') return tf.relu(y);
    return activation === 'relu6' ? tf.relu6(y) : y;
  },
  gradient({ x, mean, variance, scale, y, dy }, { epsilon, activation }) {
    const axes = allButLast(x);
    const share = scale.size / x.size;
    const inverse = tf.rsqrt(tf.add(variance, epsilon));
    const normalised = tf.mul(tf.sub(x, mean), inverse);
    const dz = !activation || activation === 'none' ? dy : tf.mul(dy, passing(y, activation));
    const dOffset = tf.sum(dz, axes);
    const dScale = tf.sum(tf.mul(dz, normalised), axes);
    const projected = tf.add(tf.mul(normalised, tf.mul(dScale, share)), tf.mul(dOffset, share));
    return [tf.mul(tf.sub(dz, projected), tf.mul(scale, inverse)), dScale, dOffset];
  },
};
