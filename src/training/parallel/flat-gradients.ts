import * as tf from '#tf';

/**
 * Gradients by variables as one vector, in which ranks add them up: their values one variable after the other, then for each variable a
 * number that is 0 where it had no gradient. Such a one has none in the sum, too, unless another had.
 */
export class FlatGradients {
  readonly values: Float32Array;

  constructor(private readonly variables: readonly tf.Variable[]) {
    const size = variables.reduce((sum, variable) => sum + variable.size, 0);
    this.values = new Float32Array(size + variables.length);
  }

  /** Adds these, by the variables' names; the caller keeps owning them. */
  add(gradients: tf.NamedTensorMap): void {
    const { values } = this;
    let at = 0;
    const marks = values.length - this.variables.length;
    for (const [i, { name, size }] of this.variables.entries()) {
      const gradient = gradients[name]?.dataSync();
      if (gradient && values[marks + i] === 0) values.set(gradient, at);
      else if (gradient) for (let j = 0; j < size; j++) values[at + j] += gradient[j];
      if (gradient) values[marks + i]++;
      at += size;
    }
  }

  /** Such a vector as tensors again, which are the caller's; they lie in its memory, which nobody may write to any more. */
  tensors(values: Float32Array): tf.NamedTensorMap {
    const gradients: tf.NamedTensorMap = {};
    let at = 0;
    const marks = values.length - this.variables.length;
    for (const [i, { name, size, shape }] of this.variables.entries()) {
      if (values[marks + i] !== 0) gradients[name] = tf.tensor(values.subarray(at, at + size), shape);
      at += size;
    }
    return gradients;
  }
}
