import {
  type AsyncKernelOptions,
  checkFloat32Length,
  checkNonNegative,
  checkOneOf,
  checkSameShape,
  KERNEL_OPTIONS,
  type KernelOptions,
  type Matrix,
  NORMS,
  type Norm,
  readMatrices,
  readOptions,
} from './matrix.js';
import { checkBox } from './project-perturbation.js';
import { type AttackStepArgs, attackStepReference } from './reference/attack-step.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

/** Options of {@link attackStep}. */
export interface AttackStepOptions extends KernelOptions {
  /** The unattacked samples, a row each; inside the box. */
  origin: Matrix;
  /** Where the attack stands. */
  current: Matrix;
  /** Gradient of what the attack raises, at `current`. */
  gradient: Matrix;
  norm: Norm;
  /** Radius of the ball around `origin`, >= 0. */
  epsilon: number;
  /** Length of the step in `norm`, >= 0. */
  stepSize: number;
  /** [low, high]; no box when absent. */
  box?: [number, number];
  /** Where the result goes; may be the array of `current`. The Promise form takes its buffer over, as pairwiseDistance does. */
  out?: Float32Array;
}

/**
 * One step of a projected gradient attack: x' = proj(origin, current + step(gradient)), per row.
 * step: stepSize * sign(g) for linf (sign(0) = 0), stepSize * g / |g| for l2 and l1; a zero gradient is no step.
 * proj: exactly onto ball ∩ box; the result never leaves either by one ulp.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit or a row outside the box, ERR_NOT_FINITE.
 *
 * @example
 * ```ts
 * import { attackStep } from 'eat-dml/kernels';
 *
 * const random = (rows: number, cols: number) => ({ data: Float32Array.from({ length: rows * cols }, Math.random), rows, cols });
 * const origin = random(4, 3072);
 * const [current, gradient] = [origin, random(4, 3072)];
 * const step = { norm: 'linf', epsilon: 8 / 255, stepSize: 2 / 255, box: [0, 1] } as const;
 * const { data } = await attackStep({ origin, current, gradient, ...step, box: [0, 1] });
 * console.log(data[0] - origin.data[0]); // at most 2/255
 * ```
 */
export async function attackStep(options: AttackStepOptions & AsyncKernelOptions): Promise<Matrix> {
  return runAsync(prepare(options));
}

/** {@link attackStep}, at once. */
export function attackStepSync(options: AttackStepOptions): Matrix {
  return runSync(prepare(options));
}

const KNOWN = ['origin', 'current', 'gradient', 'norm', 'epsilon', 'stepSize', 'box', 'out'];

function prepare(options: AttackStepOptions): KernelCall<AttackStepArgs, Matrix> {
  options = readOptions(options, [...KERNEL_OPTIONS, ...KNOWN]);
  const { norm, epsilon, stepSize, box } = options;
  const { origin, current, gradient } = readMatrices({
    origin: options.origin,
    current: options.current,
    gradient: options.gradient,
  });
  checkSameShape('origin', origin, 'current', current);
  checkSameShape('origin', origin, 'gradient', gradient);
  checkOneOf('norm', norm, NORMS);
  checkNonNegative('epsilon', epsilon);
  checkNonNegative('stepSize', stepSize);
  const out = options.out ?? new Float32Array(origin.data.length);
  checkFloat32Length('out', out, origin.data.length);
  const args: AttackStepArgs = { origin, current, gradient, norm: NORMS.indexOf(norm), epsilon, stepSize, out };
  if (box !== undefined) [args.lo, args.hi] = checkBox(box);
  const inputs = { origin, current, gradient };
  const { rows, cols, batch } = origin;
  const result = () => ({ data: args.out, rows, cols, ...(batch !== undefined && { batch }) });
  return { kernel: 'attackStep', options, args, reference: attackStepReference, inputs, result, inPlace: ['current'] };
}
