import { attackStep, type Matrix, type Norm, projectPerturbation } from '../../../src/kernels/index.js';
import { normalMatrix } from '../support.js';
import type { ParityCase } from './types.js';

const NORMS: Norm[] = ['linf', 'l2', 'l1'];
const SHAPES = [
  [1, 1],
  [3, 2],
  [5, 7],
  [4, 8],
  [3, 15],
  [9, 16],
  [2, 17],
  [7, 33],
  [3, 784],
  [2, 1500],
  [2, 5000],
] as const;

/** Points of the box [0,1], some on its faces. */
export function images(rows: number, cols: number, seed = 5): Matrix {
  const m = normalMatrix(rows, cols, { seed });
  return { ...m, data: m.data.map((x) => Math.min(1, Math.max(0, 0.5 + 0.6 * x))) };
}

function projectCase(name: string, norm: Norm, delta: Matrix, epsilon: number, around?: Matrix): ParityCase {
  return {
    kernel: 'projectPerturbation',
    name: `${norm} ${name}`,
    run: async (device) => ({ delta: (await projectPerturbation(delta, { norm, epsilon, around, device })).data }),
    tolerance: { delta: 1e-5 },
    floor: 1e-3 * epsilon,
  };
}

const projectCases = NORMS.flatMap((norm) => [
  ...SHAPES.flatMap(([n, d]) => [
    projectCase(`${n}x${d}`, norm, normalMatrix(n, d), 0.7),
    projectCase(`${n}x${d} in the box`, norm, normalMatrix(n, d), 0.7, images(n, d)),
  ]),
  projectCase('radius 0', norm, normalMatrix(3, 20), 0, images(3, 20)),
  projectCase('inside already', norm, normalMatrix(3, 20), 1e3),
  projectCase('zero', norm, { ...normalMatrix(2, 9), data: new Float32Array(18) }, 0.5),
  projectCase('batch 2', norm, normalMatrix(3, 20, { batch: 2 }), 0.4),
]);

function stepCase(
  name: string,
  norm: Norm,
  rows: number,
  cols: number,
  boxed: boolean,
  zeroGradient = false,
): ParityCase {
  const origin = images(rows, cols);
  const current = { ...origin, data: images(rows, cols, 6).data.map((x, i) => 0.9 * origin.data[i] + 0.1 * x) };
  const gradient = normalMatrix(rows, cols, { seed: 9 });
  if (zeroGradient) gradient.data.fill(0, 0, cols);
  return {
    kernel: 'attackStep',
    name: `${norm} ${name}`,
    run: async (device) => {
      const box = boxed ? ([0, 1] as [number, number]) : undefined;
      const o = { origin, current, gradient, norm, epsilon: 0.1, stepSize: 0.03, box, device };
      return { x: (await attackStep(o)).data };
    },
    tolerance: { x: 1e-6 },
    floor: 1e-1,
  };
}

const stepCases = NORMS.flatMap((norm) => [
  ...SHAPES.flatMap(([n, d]) => [
    stepCase(`${n}x${d}`, norm, n, d, false),
    stepCase(`${n}x${d} in the box`, norm, n, d, true),
  ]),
  stepCase('a zero gradient', norm, 3, 20, true, true),
]);

export const attackCases: ParityCase[] = [...projectCases, ...stepCases];
