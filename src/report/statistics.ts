import { checkEstimated } from './checks.js';

/** A mean over seeds and how sure it is. */
export interface Estimate {
  mean: number;
  /** Sample standard deviation (n - 1); 0 for one value. */
  sd: number;
  /** 95% confidence interval of the mean by Student's t; infinitely wide for one value. */
  low: number;
  high: number;
  n: number;
}

/** Student's t at 97.5% for 1 .. 30 degrees of freedom. */
const T975 = [
  ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228],
  ...[2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086],
  ...[2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042],
];

/** Of the values that are defined; null where none is. */
export function estimateOf(values: readonly (number | null)[]): Estimate | null {
  const defined = values.filter((value) => value !== null);
  return defined.length > 0 ? estimate(defined) : null;
}

export function estimate(values: readonly number[]): Estimate {
  checkEstimated(values);
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, sd: 0, low: -Infinity, high: Infinity, n };
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const half = ((T975[n - 2] ?? t975Beyond(n - 1)) * sd) / Math.sqrt(n);
  return { mean, sd, low: mean - half, high: mean + half, n };
}

/** The same for more degrees of freedom: Fisher's expansion about the normal quantile, right to 1e-5 from 31 on. */
function t975Beyond(freedom: number): number {
  const z = 1.959964;
  const [first, second] = [(z ** 3 + z) / 4, (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96];
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / freedom + second / freedom ** 2 + third / freedom ** 3;
}
