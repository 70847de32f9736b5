import * as tf from '#tf';
import { EatDmlError } from '../errors.js';
import { faultsOf, isLater, look, type Reading } from '../tfjs/index.js';

/** ERR_NOT_FINITE where `t` [n, ...] holds NaN or Inf: every comparison with NaN is false, so a rule would go on unmoved. */
export function requireFinite(what: string, t: tf.Tensor): void {
  tf.tidy(() => {
    if (isLater()) return look(faultsOf(t), (faults) => requireNone(what, faults));
    const judge = ([sound]: tf.TypedArray, all: tf.Tensor) => (sound === 0 ? undefined : firstIn(what, all));
    // 0 times a finite number is 0, and NaN otherwise: one number to read, whatever the size.
    look(tf.sum(tf.mul(t, 0)), judge, { kept: [t] });
  });
}

/** Throws with the first value of `t` that is not finite. */
function* firstIn(what: string, t: tf.Tensor): Reading<void> {
  const values = yield t;
  const at = values.findIndex((value) => !Number.isFinite(value));
  throw notFinite(what, Math.floor((at * t.shape[0]) / values.length), values[at]);
}

function requireNone(what: string, faults: ArrayLike<number>): void {
  const row = Array.from(faults).findIndex((fault) => fault !== 0);
  if (row >= 0) throw notFinite(what, row, faults[row]);
}

/** {@link requireFinite} of values that were read: one per image, or one for all. */
export function requireFiniteValues(what: string, values: Float64Array): void {
  const row = values.findIndex((value) => !Number.isFinite(value));
  if (row >= 0) throw notFinite(what, row, values[row]);
}

function notFinite(what: string, row: number, value: number): EatDmlError {
  return new EatDmlError('ERR_NOT_FINITE', `Expected finite ${what} but received ${value} in row ${row}.`, {
    hint: 'Look at the weights of the model: a training that diverged leaves them so.',
  });
}

/** The objective's values at `x`, and the gradient of their sum; `by` says what `x` is. */
export function valueAndGradient<T extends tf.Tensor = tf.Tensor4D>(
  { values, objective }: { values(x: T): tf.Tensor1D; objective: string },
  x: T,
  by = 'the images',
): { value: tf.Tensor1D; gradient: T } {
  // tf.valueAndGrad would throw where no path leads to them, and keep what it had saved for the way back.
  const { value, grads } = tf.engine().gradients(() => values(x), [x], undefined, true);
  if (grads[0]) return { value: value as tf.Tensor1D, gradient: grads[0] as T };
  throw new EatDmlError('ERR_ARGUMENT', `Expected ${objective} to have a gradient by ${by} but there is none.`, {
    hint: 'The model must compute on tensors all the way; square() attacks without gradients.',
  });
}
