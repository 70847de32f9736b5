import { NORMS } from '../matrix.js';
import { type AttackStepArgs, attackStepReference, stepOf, towardOrigin } from '../reference/attack-step.js';
import { boxBounds, floatBelow, UNBOUNDED } from '../reference/ball.js';
import { checkInside } from '../reference/project-perturbation.js';
import { projectFrom, searchRows } from './ball.js';
import { isOrdinary, runElements } from './elements.js';
import { onHost, type WebgpuKernel } from './host.js';
import { scan } from './rows.js';
import type { Gpu } from './run.js';

type Args = AttackStepArgs & { checkFinite?: boolean };

/** x' = origin + projection of (current + step(gradient) - origin), rounded toward the origin */
export const attackStep: WebgpuKernel<AttackStepArgs> = async (args, gpu) => {
  const { origin, current, gradient, lo, hi } = args;
  const check = args.checkFinite ?? true;
  const [places, slopes] = [scan({ origin, current }, check), scan({ gradient }, check)];
  if (lo !== undefined && hi !== undefined) checkInside('origin', origin.data, origin.cols, lo, hi);
  if (NORMS[args.norm] !== 'linf') return stepRows(args, gpu);
  const ordinary =
    places && slopes && places.largest <= 2 ** 60 && [args.epsilon, args.stepSize, lo ?? 0, hi ?? 0].every(isOrdinary);
  return ordinary ? stepElements(args, gpu) : onHost(attackStepReference(args), gpu);
};

async function stepElements(args: Args, gpu: Gpu): Promise<void> {
  const { origin, current, gradient, epsilon, stepSize, lo = -Infinity, hi = Infinity, out } = args;
  const boxed = args.lo !== undefined;
  const moved = 'clamp(current + p.step * signs(gradient), origin - p.epsilon, origin + p.epsilon)';
  const text = boxed ? `clamp(${moved}, vec4f(p.lo), vec4f(p.hi))` : moved;
  const inputs = { origin: origin.data, current: current.data, gradient: gradient.data };
  const numbers = { epsilon: floatBelow(epsilon), step: stepSize, lo: boxed ? lo : 0, hi: boxed ? hi : 0 };
  const own = new Float32Array(out.length);
  await runElements(gpu, { inputs, out: text, numbers }, own);
  for (let i = 0; i < out.length; i++) {
    const x = origin.data[i];
    // Sums that were rounded away from the origin, and subnormal numbers that the device took for zero.
    const edge = Math.fround(x + Math.sign(own[i] - x) * epsilon);
    const inBall = Math.abs(own[i] - x) > epsilon ? towardOrigin(edge, x, epsilon) : own[i];
    out[i] = Math.min(Math.max(inBall, lo), hi);
  }
}

/** The gradient's row at a size at which its squares stay in float32; its step is length 1 before it is multiplied with p.step. */
const STEP = `
var<private> size: f32;
var<private> length: f32;
fn slope(at: u32) -> f32 { return gradient[at] * size; }`;

const prepare = (norm: string) => `
  var most = 0.0;
  for (var i = local; i < p.cols; i += threads) { most = max(most, abs(gradient[first + i])); }
  let exponent = clamp(bitcast<u32>(largest(most)) >> 23u, 1u, 253u);
  size = bitcast<f32>((254u - exponent) << 23u);
  var sum = 0.0;
  for (var i = local; i < p.cols; i += threads) { let v = slope(first + i); sum += ${norm === 'l2' ? 'v * v' : 'abs(v)'}; }
  length = ${norm === 'l2' ? 'sqrt(total(sum))' : 'total(sum)'};`;

function stepRows({ origin, current, gradient, norm, epsilon, stepSize, lo, hi, out }: Args, gpu: Gpu): Promise<void> {
  const { cols } = origin;
  const entry = {
    functions: STEP,
    prepare: prepare(NORMS[norm]),
    delta: 'current[at] - origin[at] + select(0.0, p.step / length * slope(at), length > 0.0)',
    x: 'origin[at]',
  };
  const boxed = lo !== undefined && hi !== undefined;
  const inputs = { origin: origin.data, current: current.data, gradient: gradient.data };
  const box = boxed ? { box: [lo, hi] as [number, number] } : {};
  return searchRows(gpu, { norm, inputs, entry, cols, epsilon, stepSize, ...box }, (row, start) => {
    const first = row * cols;
    const step = stepOf(NORMS[norm], gradient.data.subarray(first, first + cols), stepSize);
    for (let i = 0; i < cols; i++) step[i] = current.data[first + i] - origin.data[first + i] + step[i];
    projectFrom(start, NORMS[norm], step, epsilon, boxed ? boxBounds(origin.data, first, lo, hi) : UNBOUNDED);
    for (let i = 0; i < cols; i++) {
      const x = origin.data[first + i];
      out[first + i] = towardOrigin(Math.fround(x + step[i]), x, Math.abs(step[i]));
    }
  });
}
