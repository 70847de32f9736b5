import * as tf from '@tensorflow/tfjs';

/** Variables that share a learning rate. */
export interface ParameterGroup {
  variables: readonly tf.Variable[];
  learningRate: number;
  weightDecay: number;
}

interface Slot {
  variable: tf.Variable;
  group: ParameterGroup;
  first: tf.Variable;
  second: tf.Variable;
}

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/**
 * AdamW (Loshchilov and Hutter, 2019): m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g²,
 * w = w (1 - lr decay) - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps). All of its state can be read and set.
 */
export class AdamW {
  /** Updates made so far, t. */
  steps = 0;
  private readonly slots: Slot[];

  constructor(groups: readonly ParameterGroup[]) {
    const moment = (variable: tf.Variable) => tf.tidy(() => tf.variable(tf.zerosLike(variable), false));
    this.slots = groups.flatMap((group) =>
      group.variables.map((variable) => ({ variable, group, first: moment(variable), second: moment(variable) })),
    );
  }

  /** One update; `gradients` by variable name, as tf.variableGrads gives them. A variable without one stays as it is. */
  update(gradients: tf.NamedTensorMap): void {
    this.steps++;
    const correction2 = Math.sqrt(1 - BETA2 ** this.steps);
    const scale = correction2 / (1 - BETA1 ** this.steps);
    for (const { variable, group, first, second } of this.slots) {
      const gradient = gradients[variable.name];
      if (!gradient) continue;
      tf.tidy(() => {
        first.assign(tf.add(tf.mul(first, BETA1), tf.mul(gradient, 1 - BETA1)));
        second.assign(tf.add(tf.mul(second, BETA2), tf.mul(tf.square(gradient), 1 - BETA2)));
        // Both bias corrections folded into two scalars: lr sqrt(1 - b2^t) / (1 - b1^t), and eps sqrt(1 - b2^t).
        const step = tf.div(first, tf.add(tf.sqrt(second), EPSILON * correction2));
        const kept = tf.mul(variable, 1 - group.learningRate * group.weightDecay);
        variable.assign(tf.sub(kept, tf.mul(step, group.learningRate * scale)));
      });
    }
  }

  /** Both moments of every variable, in order; the optimiser keeps owning them. */
  moments(): tf.Variable[] {
    return this.slots.flatMap(({ first, second }) => [first, second]);
  }

  dispose(): void {
    tf.dispose(this.moments());
  }
}
