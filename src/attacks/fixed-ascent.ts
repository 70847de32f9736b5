import * as tf from '@tensorflow/tfjs';
import type { Ascent } from './ascent.js';
import { stepInBall } from './ball.js';
import { better, type Candidate } from './candidate.js';
import type { FixedSettings } from './settings.js';

/** What one step hands to the next; all tensors are its own. */
type State = { current: tf.Tensor4D; velocity?: tf.Tensor4D; best?: Candidate };

/** `steps` steps of one length along the gradient (FGSM, PGD, MI-FGSM); the best iterate, or the last. */
export function fixedAscent(ascent: Ascent, settings: FixedSettings): Candidate {
  const { joint, values } = ascent;
  let state: State = { current: tf.clone(ascent.start) };
  for (let step = 0; step < settings.steps; step++) {
    const next = tf.tidy(() => advance(ascent, settings, state));
    tf.dispose(state);
    state = next;
  }
  if (settings.keep === 'last' && settings.restarts === 1) return { images: state.current, values: tf.zeros([1]) };
  return better(state.best, { images: state.current, values: values(state.current) }, joint);
}

function advance(
  { images, values, joint }: Ascent,
  settings: FixedSettings,
  { current, velocity, best }: State,
): State {
  const { momentum, keep, stepSize } = settings;
  const { value, grad } = tf.valueAndGrad(values)(current);
  const direction = momentum === 0 ? grad : accumulate(velocity, grad, momentum);
  return {
    current: stepInBall(images, current, direction, settings, stepSize),
    velocity: momentum === 0 ? undefined : direction,
    best: keep === 'best' ? better(best, { images: current, values: value }, joint) : undefined,
  };
}

/** v = momentum v + g / mean|g|, per sample. */
function accumulate(velocity: tf.Tensor4D | undefined, gradient: tf.Tensor4D, momentum: number): tf.Tensor4D {
  const size = tf.maximum(tf.mean(tf.abs(gradient), [1, 2, 3], true), 1e-24);
  const unit = tf.div<tf.Tensor4D>(gradient, size);
  return velocity ? tf.add(tf.mul(velocity, momentum), unit) : unit;
}
