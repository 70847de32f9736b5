import type * as tf from '@tensorflow/tfjs';
import { invalid } from '../errors.js';
import { attackStepSync, type Norm, projectPerturbationSync } from '../kernels/index.js';
import { resultLike, rowsOf } from './memory.js';

export interface AttackStepTensorOptions<T extends tf.Tensor> {
  /** The unattacked samples [n, ...], inside the box. */
  origin: T;
  /** Where the attack stands. */
  current: T;
  /** Gradient of what the attack raises, at `current`. */
  gradient: T;
  norm: Norm;
  /** Radius of the ball around `origin`, >= 0. */
  epsilon: number;
  /** Length of the step in `norm`, >= 0. */
  stepSize: number;
  /** [low, high]; no box when absent. */
  box?: [number, number];
}

/**
 * `attackStep` of the kernels on tensors, a sample per row: proj(origin, current + step(gradient)). Not differentiable.
 * The result is a new tensor. Errors are the kernel's: ERR_ARGUMENT, ERR_NOT_FINITE.
 */
export function attackStepTensor<T extends tf.Tensor>(options: AttackStepTensorOptions<T>): T {
  const { origin, current, gradient, ...settings } = options;
  checkSameShape('current', current, origin);
  checkSameShape('gradient', gradient, origin);
  const { out, tensor } = resultLike(origin);
  attackStepSync({
    origin: rowsOf('origin', origin),
    current: rowsOf('current', current),
    gradient: rowsOf('gradient', gradient),
    ...settings,
    out,
  });
  return tensor();
}

export interface ProjectTensorOptions<T extends tf.Tensor> {
  norm: Norm;
  /** Radius of the ball, >= 0. */
  epsilon: number;
  /** With it the projection is onto ball ∩ {d : around + d in box}; inside the box. */
  around?: T;
  /** [low, high], default [0, 1]; only with `around`. */
  box?: [number, number];
}

/** `projectPerturbation` of the kernels on a tensor [n, ...], a sample per row. Not differentiable. */
export function projectTensor<T extends tf.Tensor>(delta: T, options: ProjectTensorOptions<T>): T {
  const { around, ...settings } = options;
  if (around) checkSameShape('around', around, delta);
  const { out, tensor } = resultLike(delta);
  const centre = around && { around: rowsOf('around', around) };
  projectPerturbationSync(rowsOf('delta', delta), { ...settings, ...centre, out });
  return tensor();
}

function checkSameShape(name: string, t: tf.Tensor, like: tf.Tensor): void {
  if (String(t?.shape) !== String(like?.shape)) throw invalid(name, `shape [${like?.shape}]`, `[${t?.shape}]`);
}
