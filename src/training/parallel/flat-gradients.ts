import * as tf from '#tf';
import type { SyncGroup } from '../../distributed/group.js';

/** The vectors that groups were told last: new memory of that size costs as much as filling it, and brings the garbage collector. */
const spare = new WeakMap<SyncGroup, Float32Array<ArrayBuffer>>();

/** Memory with unspecified content for what `group` will be told: what `spareMemory` took back, if it is as long. */
export function memoryFor(group: SyncGroup, length: number): Float32Array<ArrayBuffer> {
  const kept = spare.get(group);
  spare.delete(group);
  return kept?.length === length ? kept : new Float32Array(length);
}

/** Takes memory back, in which gradients may lie until the next ones of that group are begun. */
export function spareMemory(group: SyncGroup, memory: Float32Array<ArrayBuffer>): void {
  spare.set(group, memory);
}

/** Values of FlatGradients by these variables. */
export function flatLength(variables: readonly tf.Variable[]): number {
  return variables.reduce((sum, { size }) => sum + size, variables.length);
}

/**
 * Gradients by variables as one vector, in which ranks add them up: their values one variable after the other, then for each variable a
 * number that is 0 where it had no gradient. Such a one has none in the sum, too, unless another had.
 */
export class FlatGradients {
  /** The end of `values`: of each variable how many gradients were added. */
  readonly marks: Float32Array;
  readonly #begins: number[] = [];

  /** In `values`, of `flatLength(variables)`; what lies there is forgotten. */
  constructor(
    private readonly variables: readonly tf.Variable[],
    readonly values: Float32Array<ArrayBuffer> = new Float32Array(flatLength(variables)),
  ) {
    let size = 0;
    for (const variable of variables) {
      this.#begins.push(size);
      size += variable.size;
    }
    this.marks = values.subarray(size);
    this.marks.fill(0);
  }

  /** The values by variables from `first` to before `last`; what nothing was added to is made 0. */
  part(first: number, last: number): Float32Array {
    const ends = [...this.#begins, this.values.length - this.variables.length];
    for (let i = first; i < last; i++) if (this.marks[i] === 0) this.values.fill(0, ends[i], ends[i + 1]);
    return this.values.subarray(ends[first], ends[last]);
  }

  /** Adds these, by the variables' names; the caller keeps owning them. */
  add(gradients: tf.NamedTensorMap): void {
    for (const [index, { name }] of this.variables.entries()) {
      if (gradients[name]) this.addOne(index, gradients[name]);
    }
  }

  /** Adds a gradient by the variable of that number; the caller keeps owning it. */
  addOne(index: number, gradient: tf.Tensor): void {
    const { values, marks } = this;
    const [added, begin] = [gradient.dataSync(), this.#begins[index]];
    if (marks[index] === 0) values.set(added, begin);
    else for (let j = 0; j < added.length; j++) values[begin + j] += added[j];
    marks[index]++;
  }
}

/** Such a vector as tensors again, which are the caller's; they lie in its memory, which nobody may write to while there are any. */
export function tensorsOf(variables: readonly tf.Variable[], values: Float32Array): tf.NamedTensorMap {
  return tensorsIn(variables, values, values.subarray(values.length - variables.length));
}

/** The values by variables, one after the other, as tensors that lie there; none of variables whose mark is 0. */
export function tensorsIn(
  variables: readonly tf.Variable[],
  values: Float32Array,
  marks: Float32Array,
): tf.NamedTensorMap {
  const gradients: tf.NamedTensorMap = {};
  let begin = 0;
  for (const [i, { name, size, shape }] of variables.entries()) {
    if (marks[i] !== 0) gradients[name] = tf.tensor(values.subarray(begin, begin + size), shape);
    begin += size;
  }
  return gradients;
}
