import { type Matrix, NORMS } from '../matrix.js';
import { boxBounds, floatBelow, floatTowardZero, nextFloat, UNBOUNDED } from '../reference/ball.js';
import {
  checkInside,
  type ProjectPerturbationArgs,
  projectPerturbationReference,
} from '../reference/project-perturbation.js';
import { projectFrom, searchRows } from './ball.js';
import { isOrdinary, runElements } from './elements.js';
import { onHost, type WebgpuKernel } from './host.js';
import { scan } from './rows.js';
import type { Gpu } from './run.js';

type Args = ProjectPerturbationArgs & { checkFinite?: boolean };

/** out = argmin |d - delta|² over the ball and, with `around`, the box. */
export const projectPerturbation: WebgpuKernel<ProjectPerturbationArgs> = async (args, gpu) => {
  const { delta, around, lo = 0, hi = 1 } = args;
  const matrices: Record<string, Matrix> = { delta, ...(around && { around: { ...delta, data: around } }) };
  const found = scan(matrices, args.checkFinite ?? true);
  if (around) checkInside('around', around, delta.cols, lo, hi);
  if (NORMS[args.norm] !== 'linf') return projectRows(args, gpu);
  const ordinary = found && found.largest <= 2 ** 60 && [args.epsilon, lo, hi].every(isOrdinary);
  return ordinary ? projectElements(args, gpu) : onHost(projectPerturbationReference(args), gpu);
};

async function projectElements({ delta, epsilon, around, lo = 0, hi = 1, out }: Args, gpu: Gpu): Promise<void> {
  const ball = 'clamp(delta, vec4f(-p.epsilon), vec4f(p.epsilon))';
  const text = around ? `min(max(${ball}, p.lo - around), p.hi - around)` : ball;
  const inputs = { delta: delta.data, ...(around && { around }) };
  await runElements(gpu, { inputs, out: text, numbers: { epsilon: floatBelow(epsilon), step: 0, lo, hi } }, out);
  for (let i = 0; i < out.length; i++) {
    // As it was given where it stays: the device may flush what is subnormal.
    if (Math.abs(delta.data[i]) < 2 ** -100) out[i] = delta.data[i];
    while (Math.abs(out[i]) > epsilon) out[i] = nextFloat(out[i], 0);
    if (!around) continue;
    // In double the bounds are nearly exact; a difference is rounded towards zero, as the reference does it.
    if (out[i] > hi - around[i]) out[i] = floatTowardZero(hi - around[i]);
    if (out[i] < lo - around[i]) out[i] = floatTowardZero(lo - around[i]);
  }
}

function projectRows({ delta, norm, epsilon, around, lo = 0, hi = 1, out }: Args, gpu: Gpu): Promise<void> {
  const { cols, data } = delta;
  const entry = { delta: 'given[at]', x: around ? 'around[at]' : '0.0' };
  const inputs = { given: data, ...(around && { around }) };
  const search = { norm, inputs, entry, cols, epsilon, ...(around && { box: [lo, hi] as [number, number] }) };
  return searchRows(gpu, search, (row, start) => {
    const work = Float64Array.from(data.subarray(row * cols, (row + 1) * cols));
    const bounds = around ? boxBounds(around, row * cols, lo, hi) : UNBOUNDED;
    projectFrom(start, NORMS[norm], work, epsilon, bounds);
    for (let i = 0; i < cols; i++) out[row * cols + i] = floatTowardZero(work[i]);
  });
}
