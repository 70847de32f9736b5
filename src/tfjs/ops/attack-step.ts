import { z } from 'zod';
import type * as tf from '#tf';
import { invalid } from '../../errors.js';
import { attackStepSync, type Norm, projectPerturbationSync } from '../../kernels/index.js';
import { checkNonNegative, checkOneOf, checkOptions, NORMS } from '../../kernels/matrix.js';
import { checkBox } from '../../kernels/project-perturbation.js';
import { anything, parseOptions } from '../../options.js';
import { customOpPath, customOpsBackend, runCustomOp } from '../custom-ops.js';
import { checkRows, memoryPath, result, rowsOf } from '../memory.js';
import { readsAtOnce } from '../reading/readings.js';
import { counted } from '../tensor-kernel-calls.js';
import { projectByOperations, stepByOperations } from './ball-by-operations.js';

/** Options of {@link attackStepTensor}. */
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

const settingsKeys = { norm: anything, epsilon: anything, box: anything };
/** The keys; what they hold is looked at by the kernels' own checks. */
const stepKeys = z.strictObject({
  ...settingsKeys,
  origin: anything,
  current: anything,
  gradient: anything,
  stepSize: anything,
});
const projectKeys = z.strictObject({ ...settingsKeys, around: anything });

/**
 * `attackStep` of the kernels on tensors, a sample per row: proj(origin, current + step(gradient)). Not differentiable.
 * The result is a new tensor. Errors are the kernel's: ERR_ARGUMENT, ERR_NOT_FINITE.
 */
export function attackStepTensor<T extends tf.Tensor>(options: AttackStepTensorOptions<T>): T {
  parseOptions(stepKeys, options);
  const { origin, current, gradient, ...settings } = options ?? {};
  checkRows('origin', origin);
  checkSameShape('current', current, origin);
  checkSameShape('gradient', gradient, origin);
  const backend = customOpsBackend();
  if (backend) {
    const values = stepSettings(settings, { origin, current, gradient });
    const step = () => runCustomOp(backend, 'EatDmlAttackStep', { origin, current, gradient }, values)[0] as T;
    return counted('attackStep', customOpPath(), 0, step);
  }
  if (!readsAtOnce()) {
    stepSettings(settings, { origin, current, gradient });
    return counted('attackStep', 'operations', 0, () => stepByOperations({ origin, current, gradient }, settings) as T);
  }
  return counted('attackStep', memoryPath(), copied(origin, 4), () => {
    const { out, tensor } = result<T>(origin.shape);
    attackStepSync({
      origin: rowsOf('origin', origin),
      current: rowsOf('current', current),
      gradient: rowsOf('gradient', gradient),
      ...settings,
      out,
    });
    return tensor();
  });
}

type StepSettings = Omit<AttackStepTensorOptions<tf.Tensor>, 'origin' | 'current' | 'gradient'>;

/** Checked as the kernel's wrapper does, in the order in which native/tensorflow/ops.cc reads them. */
function stepSettings(settings: StepSettings, tensors: Record<string, tf.Tensor>): number[] {
  checkOptions(settings, ['norm', 'epsilon', 'stepSize', 'box']);
  for (const [name, t] of Object.entries(tensors)) checkRows(name, t);
  const { norm, epsilon, stepSize, box } = settings;
  checkOneOf('norm', norm, NORMS);
  checkNonNegative('epsilon', epsilon);
  checkNonNegative('stepSize', stepSize);
  const bounds = box === undefined ? [0, 0, 0] : [1, ...checkBox(box)];
  return [NORMS.indexOf(norm), epsilon, stepSize, ...bounds];
}

/** Options of {@link projectTensor}. */
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
  parseOptions(projectKeys, options);
  const { around, ...settings } = options ?? {};
  checkRows('delta', delta);
  if (around) checkSameShape('around', around, delta);
  const backend = customOpsBackend();
  if (backend) {
    const values = projectionSettings(delta, options);
    // The op reads the second tensor only where the settings say so.
    const inputs = { delta, around: around ?? delta };
    const project = () => runCustomOp(backend, 'EatDmlProjectPerturbation', inputs, values)[0] as T;
    return counted('projectPerturbation', customOpPath(), 0, project);
  }
  if (!readsAtOnce()) {
    projectionSettings(delta, options);
    const ball = { box: [0, 1] as [number, number], ...settings };
    return counted('projectPerturbation', 'operations', 0, () => projectByOperations(delta, around, ball) as T);
  }
  return counted('projectPerturbation', memoryPath(), copied(delta, around ? 3 : 2), () => {
    const { out, tensor } = result<T>(delta.shape);
    const centre = around && { around: rowsOf('around', around) };
    projectPerturbationSync(rowsOf('delta', delta), { ...settings, ...centre, out });
    return tensor();
  });
}

function projectionSettings(delta: tf.Tensor, options: ProjectTensorOptions<tf.Tensor>): number[] {
  checkOptions(options, ['norm', 'epsilon', 'around', 'box']);
  checkRows('delta', delta);
  const { norm, epsilon, around, box } = options;
  if (around) checkRows('around', around);
  else if (box !== undefined) throw invalid('around', 'the point the box is seen from, where box is given', undefined);
  checkOneOf('norm', norm, NORMS);
  checkNonNegative('epsilon', epsilon);
  const bounds = around ? [1, ...checkBox(box ?? [0, 1])] : [0, 0, 0];
  return [NORMS.indexOf(norm), epsilon, ...bounds];
}

/** Bytes that go through typed arrays when `tensors` of that size are read or written, where the backend keeps its own. */
function copied(t: tf.Tensor, tensors: number): number {
  return memoryPath() === 'copies' ? 4 * tensors * t.size : 0;
}

function checkSameShape(name: string, t: tf.Tensor, like: tf.Tensor): void {
  if (String(t?.shape) !== String(like?.shape)) throw invalid(name, `shape [${like?.shape}]`, `[${t?.shape}]`);
}
