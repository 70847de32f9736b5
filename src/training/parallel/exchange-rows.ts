import * as tf from '#tf';
import type { SyncGroup } from '../../distributed/index.js';
import { rowsOfShards, shardsOfRank } from '../../distributed/sum-of-shards.js';

/** How the rows of a batch are dealt out: cut into shards, of which each rank has those next to one another. */
export interface Cut {
  readonly group: SyncGroup;
  readonly shards: number;
}

/** This rank's rows of a batch. */
export function rowsOfRank(rows: number, { group, shards }: Cut): { begin: number; end: number } {
  return rowsOfShards(rows, shardsOfRank(shards, group), shards);
}

/** This rank's rows of `x` [n, ...]. Its gradient is that of all ranks' rows, gathered: the other way round {@link gatherRows}. */
export function ownRows<T extends tf.Tensor>(x: T, cut: Cut): T {
  const rows = x.shape[0];
  const op = tf.customGrad((all) => ({
    value: sliced(all as tf.Tensor, cut),
    gradFunc: (gradient: tf.Tensor) => gatherRows(gradient, rows, cut),
  }));
  return op(x) as T;
}

/** All `rows` rows of which `y` [m, ...] are this rank's, on every rank. Its gradient is this rank's rows alone: {@link ownRows}. */
export function gatherRows<T extends tf.Tensor>(y: T, rows: number, cut: Cut): T {
  const op = tf.customGrad((own) => ({
    value: gathered(own as tf.Tensor, rows, cut),
    gradFunc: (gradient: tf.Tensor) => ownRows(gradient, cut),
  }));
  return op(y) as T;
}

function sliced(x: tf.Tensor, cut: Cut): tf.Tensor {
  const [rows, ...shape] = x.shape;
  const { begin, end } = rowsOfRank(rows, cut);
  if (begin === end) return tf.zeros([0, ...shape]);
  return tf.slice(x, [begin, ...shape.map(() => 0)], [end - begin, ...shape]);
}

function gathered(y: tf.Tensor, rows: number, { group }: Cut): tf.Tensor {
  if (group.size === 1) return tf.clone(y);
  const [first] = group.allGatherNow(y.dataSync<'float32'>());
  // Ranks have rows one after another, and what they give lies so in one buffer.
  return tf.tensor(new Float32Array(first.buffer), [rows, ...y.shape.slice(1)]);
}
