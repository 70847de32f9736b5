import type * as tf from '#tf';
import type { SyncGroup } from '../../distributed/group.js';
import { FlatGradients, flatLength, memoryFor, spareMemory, tensorsIn } from './flat-gradients.js';
import { watchGradients } from './watch-gradients.js';

/** Values that leave at once: 32 MiB. */
const BUCKET = 2 ** 23;

/** Variables that leave together: from `first` to before `last`. */
interface Bucket {
  first: number;
  last: number;
}

/**
 * Sums of gradients over ranks that are begun while the way back goes on: it comes to the last layers first, whose gradients leave as soon
 * as a bucket of them is whole. Buckets leave in one order on every rank, the last first, and each value is summed as the tree of ranks: a
 * sum has the bits that it has where all leave at the end.
 */
export class LeavingGradients {
  readonly #own: FlatGradients;
  readonly #buckets: Bucket[];
  readonly #whole: boolean[];
  readonly #waiting: [Bucket, () => Float32Array][] = [];

  constructor(
    private readonly group: SyncGroup,
    private readonly variables: readonly tf.Variable[],
    size = BUCKET,
  ) {
    this.#own = new FlatGradients(variables, memoryFor(group, flatLength(variables)));
    this.#buckets = bucketsOf(variables, size);
    this.#whole = variables.map(() => false);
  }

  /** At the end of the function that tf.variableGrads is given, with what it will return; `leave`: whether ranks' tapes are alike. */
  watch(loss: tf.Tensor, leave: boolean): void {
    watchGradients(loss, this.variables, ({ index, gradient, left }) => {
      this.#own.addOne(index, gradient);
      this.#whole[index] = left === 0;
      if (leave) this.#send(({ first }) => this.#whole.every((whole, i) => whole || i < first));
    });
  }

  /** The sums over ranks, once tf.variableGrads has returned; they are the caller's, until the group's next gradients are begun. */
  tensors(): tf.NamedTensorMap {
    this.#send(() => true);
    const { values, marks } = this.#own;
    const had = this.group.allReduceNow(marks, { order: 'tree', into: marks });
    // In the order of variables.
    const parts = this.#waiting.reverse().map(([{ first, last }, wait]) => {
      return tensorsIn(this.variables.slice(first, last), wait(), had.subarray(first, last));
    });
    spareMemory(this.group, values);
    return Object.assign({}, ...parts);
  }

  #send(may: (bucket: Bucket) => boolean): void {
    for (let next = this.#buckets.at(-1); next && may(next); next = this.#buckets.at(-1)) {
      const part = this.#own.part(next.first, next.last);
      this.#waiting.push([next, this.group.startAllReduce(part, { order: 'tree', into: part })]);
      this.#buckets.pop();
    }
  }
}

/** Variables in order, as many to a bucket as fit into `size` values, from the last on; one that is larger has its own. */
function bucketsOf(variables: readonly tf.Variable[], size: number): Bucket[] {
  const buckets: Bucket[] = [];
  let room = 0;
  for (let first = variables.length - 1; first >= 0; first--) {
    room -= variables[first].size;
    if (buckets.length > 0 && room >= 0) buckets[0].first = first;
    else {
      buckets.unshift({ first, last: first + 1 });
      room = size - variables[first].size;
    }
  }
  return buckets;
}
