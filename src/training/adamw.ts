import * as tf from '#tf';

/** Variables that share a learning rate. */
export interface ParameterGroup {
  variables: readonly tf.Variable[];
  learningRate: number;
  weightDecay: number;
}

/** A group with the moments of all its variables, one after the other. */
interface State extends ParameterGroup {
  /** Updates that it had a gradient in. */
  steps: number;
  sizes: number[];
  first: tf.Variable;
  second: tf.Variable;
}

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/**
 * AdamW (Loshchilov and Hutter, 2019): m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g²,
 * w = w (1 - lr decay) - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps). All of its state can be read and set.
 * A group is updated as one long vector: a dozen operations however many variables, where small networks would
 * otherwise spend more time on calls than on arithmetic.
 */
export class AdamW {
  /** Updates made so far. */
  steps = 0;
  private readonly states: State[];

  constructor(groups: readonly ParameterGroup[]) {
    this.states = groups.map((group) => {
      const sizes = group.variables.map(({ size }) => size);
      const length = sizes.reduce((sum, size) => sum + size, 0);
      const moment = () => tf.tidy(() => tf.variable(tf.zeros([length]), false));
      return { ...group, steps: 0, sizes, first: moment(), second: moment() };
    });
  }

  /**
   * One update at `factor` of the learning rates; `gradients` by variable name, as tf.variableGrads gives them. A group without
   * any stays as it is, its moments and its t too.
   */
  update(gradients: tf.NamedTensorMap, factor = 1): void {
    this.steps++;
    for (const state of this.states) {
      if (!state.variables.some(({ name }) => gradients[name])) continue;
      state.steps++;
      tf.tidy(() => updateGroup(state, gradients, factor));
    }
  }

  /** The t of every group, in order. */
  get groupSteps(): number[] {
    return this.states.map(({ steps }) => steps);
  }

  /** As it was after `steps` updates, of which every group had those of `groupSteps` (default all). */
  restoreSteps(steps: number, groupSteps?: readonly number[]): void {
    this.steps = steps;
    for (const [i, state] of this.states.entries()) state.steps = groupSteps?.[i] ?? steps;
  }

  /** Both moments of every group, in order; the optimiser keeps owning them. */
  moments(): tf.Variable[] {
    return this.states.flatMap(({ first, second }) => [first, second]);
  }

  dispose(): void {
    tf.dispose(this.moments());
  }
}

/** What a step takes besides the operands; both bias corrections are folded into two of them. */
function coefficients({ learningRate, weightDecay, steps: t }: State, factor: number) {
  const rate = learningRate * factor;
  const correction = Math.sqrt(1 - BETA2 ** t);
  return {
    beta1: BETA1,
    beta2: BETA2,
    kept: 1 - rate * weightDecay,
    rate: (rate * correction) / (1 - BETA1 ** t),
    floor: EPSILON * correction,
  };
}

function updateGroup(state: State, gradients: tf.NamedTensorMap, factor: number): void {
  if (tf.getKernel('AdamW', tf.getBackend())) updateInOneCall(state, gradients, factor);
  else updateByOperations(state, gradients, factor);
}

/** On a backend that has the step as a kernel. */
function updateInOneCall(state: State, gradients: tf.NamedTensorMap, factor: number): void {
  const { variables, first, second } = state;
  const operands = variables.flatMap((variable, i) => {
    const gradient = gradients[variable.name];
    return [[`w${i}`, variable] as const, ...(gradient ? [[`g${i}`, gradient] as const] : [])];
  });
  const inputs = { first, second, ...Object.fromEntries(operands) };
  const results = tf.engine().runKernel('AdamW', inputs, coefficients(state, factor)) as tf.Tensor[];
  for (const [i, variable] of [first, second, ...variables].entries()) variable.assign(results[i]);
}

function updateByOperations(state: State, gradients: tf.NamedTensorMap, factor: number): void {
  const { variables, sizes, first, second } = state;
  const { kept, rate, floor } = coefficients(state, factor);
  const gradient = flat(variables.map((variable) => gradients[variable.name] ?? tf.zerosLike(variable)));
  first.assign(tf.add(tf.mul(first, BETA1), tf.mul(gradient, 1 - BETA1)));
  second.assign(tf.add(tf.mul(second, BETA2), tf.mul(tf.square(gradient), 1 - BETA2)));
  const direction = tf.div(first, tf.add(tf.sqrt(second), floor));
  const moved = tf.sub(tf.mul(flat(variables), kept), tf.mul(direction, rate));
  const parts = variables.length === 1 ? [moved] : tf.split(moved, sizes);
  variables.forEach((variable, i) => {
    variable.assign(tf.reshape(parts[i], variable.shape));
  });
}

function flat(tensors: readonly tf.Tensor[]): tf.Tensor1D {
  return tf.concat1d(tensors.map((tensor) => tf.reshape(tensor, [-1])));
}
