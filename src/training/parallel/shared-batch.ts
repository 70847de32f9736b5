import * as tf from '#tf';
import type { Source } from '../../data/index.js';
import { together } from '../../distributed/together.js';
import { type Cut, rowsOfRank } from './exchange-rows.js';

type BatchOptions = Parameters<Source['batch']>[1];

/**
 * The images of a batch, of which each rank reads its own and is told the others'. An image that is twice in a batch may have two
 * views there: such a batch is read whole by each rank. Throws on every rank what one of them could not read.
 */
export async function sharedBatch(
  data: Source,
  samples: Int32Array,
  options: BatchOptions,
  cut: Cut,
): Promise<tf.Tensor4D> {
  const { group } = cut;
  if (group.size === 1) return data.batch(samples, options);
  const own = ownSamples(samples, cut);
  const read = await together(group, () => (own.length > 0 ? data.batch(own, options) : undefined));
  if (own === samples) return read!;
  const values = read ? await read.data<'float32'>() : new Float32Array(0);
  read?.dispose();
  const [first] = await group.allGather(values);
  return tf.tensor4d(new Float32Array(first.buffer), [samples.length, ...data.shape]);
}

/** Begins what {@link sharedBatch} will be asked for. */
export function prefetchShared(data: Source, samples: Int32Array, options: BatchOptions, cut: Cut): void {
  const own = ownSamples(samples, cut);
  if (own.length > 0) data.prefetch?.(own, options);
}

function ownSamples(samples: Int32Array, cut: Cut): Int32Array {
  if (cut.group.size === 1 || new Set(samples).size < samples.length) return samples;
  const { begin, end } = rowsOfRank(samples.length, cut);
  return samples.subarray(begin, end);
}
