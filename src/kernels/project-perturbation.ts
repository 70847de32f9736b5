import { invalid } from '../errors.js';
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
import { type ProjectPerturbationArgs, projectPerturbationReference } from './reference/project-perturbation.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

/** Options of {@link projectPerturbation}. */
export interface ProjectPerturbationOptions extends KernelOptions {
  norm: Norm;
  /** Radius of the ball, >= 0, in the units of `delta`. */
  epsilon: number;
  /** With it the projection is onto ball ∩ {d : around + d in box}; every row lies in the box. The shape of `delta`. */
  around?: Matrix;
  /** [low, high], default [0, 1]; only with `around`. */
  box?: [number, number];
  /** Where the result goes, of the length of `delta`. The Promise form takes its buffer over, as pairwiseDistance does. */
  out?: Float32Array;
}

/**
 * The Euclidean projection of each row of `delta` (a row is a sample) onto the ball, or exactly onto ball ∩ box.
 * The result never leaves either by one ulp.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit or a row outside the box, ERR_NOT_FINITE.
 *
 * @example
 * ```ts
 * import { projectPerturbation } from 'eat-dml/kernels';
 *
 * const random = (rows: number, cols: number) => ({ data: Float32Array.from({ length: rows * cols }, Math.random), rows, cols });
 * const images = random(4, 3072);
 * const delta = await projectPerturbation(random(4, 3072), { norm: 'l2', epsilon: 0.5, around: images, box: [0, 1] });
 * console.log(delta.data.subarray(0, 3072).reduce((sum, d) => sum + d * d, 0)); // at most 0.5²
 * ```
 */
export async function projectPerturbation(
  delta: Matrix,
  options: ProjectPerturbationOptions & AsyncKernelOptions,
): Promise<Matrix> {
  return runAsync(prepare(delta, options));
}

/** {@link projectPerturbation}, at once. */
export function projectPerturbationSync(delta: Matrix, options: ProjectPerturbationOptions): Matrix {
  return runSync(prepare(delta, options));
}

function prepare(delta: Matrix, options: ProjectPerturbationOptions): KernelCall<ProjectPerturbationArgs, Matrix> {
  options = readOptions(options, [...KERNEL_OPTIONS, 'norm', 'epsilon', 'around', 'box', 'out']);
  const { norm, epsilon, box } = options;
  const inputs: Record<string, Matrix> = readMatrices({
    delta,
    ...(options.around !== undefined && { around: options.around }),
  });
  delta = inputs.delta;
  checkOneOf('norm', norm, NORMS);
  checkNonNegative('epsilon', epsilon);
  const args: ProjectPerturbationArgs = {
    delta,
    norm: NORMS.indexOf(norm),
    epsilon,
    out: options.out ?? new Float32Array(delta.data.length),
  };
  checkFloat32Length('out', args.out, delta.data.length);
  if (inputs.around !== undefined) {
    checkSameShape('delta', delta, 'around', inputs.around);
    args.around = inputs.around.data;
    [args.lo, args.hi] = checkBox(box ?? [0, 1]);
  } else if (box !== undefined) {
    throw invalid('around', 'the point the box is seen from, where box is given', undefined);
  }
  const { rows, cols, batch } = delta;
  const result = () => ({ data: args.out, rows, cols, ...(batch !== undefined && { batch }) });
  return { kernel: 'projectPerturbation', options, args, reference: projectPerturbationReference, inputs, result };
}

/** Throws unless `box` is [low, high] with low <= high; both are rounded to float32, as the data is. */
export function checkBox(box: unknown): [number, number] {
  const finite = (v: unknown) => typeof v === 'number' && Number.isFinite(Math.fround(v));
  const fits = Array.isArray(box) && box.length === 2 && finite(box[0]) && finite(box[1]) && box[0] <= box[1];
  if (!fits) throw invalid('box', '[low, high] with low <= high', box);
  return [Math.fround(box[0]), Math.fround(box[1])];
}
