import type * as tf from '#tf';
import type { SyncGroup } from '../../distributed/group.js';
import { FlatGradients } from './flat-gradients.js';
import { watchGradients } from './watch-gradients.js';

/** Values that leave at once: 32 MiB. */
const BUCKET = 2 ** 23;

/** A piece of the vector, from `begin` to before `end`, of variables from `first` on. */
interface Bucket {
  first: number;
  begin: number;
  end: number;
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
    this.#own = new FlatGradients(variables);
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

  /** The sums over ranks, once tf.variableGrads has returned; they are the caller's. */
  tensors(): tf.NamedTensorMap {
    this.#send(() => true);
    const { values } = this.#own;
    const marks = this.#own.marks;
    marks.set(this.group.allReduceNow(marks, { order: 'tree' }));
    for (const [{ begin }, wait] of this.#waiting) values.set(wait(), begin);
    return this.#own.tensors(values);
  }

  #send(may: (bucket: Bucket) => boolean): void {
    for (let last = this.#buckets.at(-1); last && may(last); last = this.#buckets.at(-1)) {
      const part = this.#own.values.subarray(last.begin, last.end);
      this.#waiting.push([last, this.group.startAllReduce(part, { order: 'tree' })]);
      this.#buckets.pop();
    }
  }
}

/** Variables in order, as many to a bucket as fit into `size` values, from the last on; one that is larger has its own. */
function bucketsOf(variables: readonly tf.Variable[], size: number): Bucket[] {
  const buckets: Bucket[] = [];
  let end = variables.reduce((sum, variable) => sum + variable.size, 0);
  for (let first = variables.length - 1; first >= 0; first--) {
    const begin = end - variables[first].size;
    const [open] = buckets;
    if (open && open.end - begin <= size) Object.assign(open, { first, begin });
    else buckets.unshift({ first, begin, end });
    end = begin;
  }
  return buckets;
}
