import * as tf from '#tf';
import type { BatchNormSteps } from './batch-norm-training.js';

/** A batch of which this process has some rows: what each of the processes gives, in their order. All of them call it alike. */
export type GatherAll = (own: Float64Array) => Float64Array[];

let present: GatherAll | undefined;

/** Runs `work`, whose batch normalisations in training are by the statistics of all processes' rows; their gradients are, too. */
export function withSpreadBatch<T>(gather: GatherAll, work: () => T): T {
  const before = present;
  present = gather;
  try {
    return work();
  } finally {
    present = before;
  }
}

export const spreadBatch = () => present;

/**
 * The steps over all rows, by those over this process's n_r of n: with its mean m_r and variance v_r,
 * mean = Σ n_r m_r / n and variance = Σ n_r (v_r + (m_r - mean)²) / n (Chan et al., 1979). The gradient by x takes sums over all rows
 * for this process's own: dx += x·a + b, a and b by channel.
 */
export function spread(steps: BatchNormSteps, gather: GatherAll): { steps: BatchNormSteps; samples: () => number } {
  let samples = 0;
  const moments: BatchNormSteps['moments'] = (x) => {
    const channels = x.shape[x.rank - 1];
    const [mean, variance] = steps.moments(x).map((of) => of.dataSync());
    const all = gather(Float64Array.from([x.size / channels, ...mean, ...variance]));
    const rows = all.map(([n]) => n);
    samples = rows.reduce((sum, n) => sum + n);
    const over = (of: (rank: number, c: number) => number) =>
      Float64Array.from(
        { length: channels },
        (_, c) => all.reduce((sum, _, r) => sum + rows[r] * of(r, c), 0) / samples,
      );
    const means = over((r, c) => all[r][1 + c]);
    const variances = over((r, c) => all[r][1 + channels + c] + (all[r][1 + c] - means[c]) ** 2);
    return [tf.tensor1d(Float32Array.from(means)), tf.tensor1d(Float32Array.from(variances))];
  };
  const gradient: BatchNormSteps['gradient'] = (inputs, attrs) => {
    const { x, mean, variance, scale } = inputs;
    const [dx, dScale, dOffset] = steps.gradient(inputs, attrs);
    const channels = scale.size;
    const [own, offsets] = [dScale, dOffset].map((of) => of.dataSync());
    const all = gather(Float64Array.from([...own, ...offsets]));
    const rows = x.size / channels;
    const excess = Float32Array.from({ length: 2 * channels }, (_, i) => {
      const mine = (i < channels ? own[i] : offsets[i - channels]) / rows;
      return mine - all.reduce((sum, of) => sum + of[i], 0) / samples;
    });
    const inverse = tf.rsqrt(tf.add(variance, attrs.epsilon));
    const factor = tf.mul(scale, inverse);
    const a = tf.mul(tf.mul(factor, inverse), excess.slice(0, channels));
    const b = tf.sub(tf.mul(factor, excess.slice(channels)), tf.mul(mean, a));
    return [tf.add(dx, tf.add(tf.mul(x, a), b)), dScale, dOffset];
  };
  return { steps: { ...steps, moments, gradient }, samples: () => samples };
}
