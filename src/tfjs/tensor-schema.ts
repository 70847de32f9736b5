import { z } from 'zod';
import * as tf from '#tf';

/** A float32 tensor of that rank with values in it, as a schema; `expected` says so. */
export function tensorOf<T extends tf.Tensor>(rank: number, expected: string): z.ZodType<T, T> {
  const fits = (t: unknown) =>
    t instanceof tf.Tensor && !t.isDisposed && t.rank === rank && t.size > 0 && t.dtype === 'float32';
  return z.custom<T>(fits, expected);
}
