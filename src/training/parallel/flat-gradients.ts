import * as tf from '#tf';

/**
 * Gradients by variables as one vector, in which ranks add them up: their values one variable after the other, then for each variable a
 * number that is 0 where it had no gradient. Such a one has none in the sum, too, unless another had.
 */
export class FlatGradients {
  readonly values: Float32Array;
  /** The end of `values`: of each variable how many gradients were added. */
  readonly marks: Float32Array;
  readonly #begins: number[] = [];

  constructor(private readonly variables: readonly tf.Variable[]) {
    let size = 0;
    for (const variable of variables) {
      this.#begins.push(size);
      size += variable.size;
    }
    this.values = new Float32Array(size + variables.length);
    this.marks = this.values.subarray(size);
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

  /** Such a vector as tensors again, which are the caller's; they lie in its memory, which nobody may write to any more. */
  tensors(values: Float32Array): tf.NamedTensorMap {
    const gradients: tf.NamedTensorMap = {};
    const marks = values.subarray(values.length - this.variables.length);
    for (const [i, { name, size, shape }] of this.variables.entries()) {
      const begin = this.#begins[i];
      if (marks[i] !== 0) gradients[name] = tf.tensor(values.subarray(begin, begin + size), shape);
    }
    return gradients;
  }
}
