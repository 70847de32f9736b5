/**
 * The host's side of the attacks: rows are finished in double from where the device's search ended, or projected as the reference does
 * it where that does not end in the ball. So a result never leaves ball or box, whatever the device rounds or flushes.
 */
import { NORMS, type Norm } from '../matrix.js';
import { type Bounds, projectBall } from '../reference/ball.js';
import { type Entry, FOUND, searchProgram } from './row-search.js';
import { parts } from './rows.js';
import { floatBits, type Gpu } from './run.js';

/** Where the device's search ended, for one row. */
export interface Start {
  /** l2: the scale; l1: the shift of the threshold. */
  value: number;
  /** l1: the shift is counted from the largest entry. */
  fromLargest: boolean;
}

/** Newton steps that a start of seven digits may take. */
const STEPS = 4;
/** How near to the radius a row must come, as a share of it. */
const NEAR = 1e-10;

/** projectBall, from a start. */
export function projectFrom(start: Start, norm: Norm, delta: Float64Array, epsilon: number, bounds: Bounds): void {
  const clip = (v: number, i: number) => Math.min(Math.max(v, bounds.low(i)), bounds.high(i));
  const size = norm === 'l2' ? (v: number) => v * v : Math.abs;
  let sum = 0;
  for (let i = 0; i < delta.length; i++) sum += size(clip(delta[i], i));
  const inside = norm === 'l2' ? Math.sqrt(sum) <= epsilon : sum <= epsilon;
  if (!inside && newton(start, norm, delta, epsilon, clip)) return;
  projectBall(norm, delta, epsilon, bounds);
}

/** Whether the row got to the radius from inside; it is changed only then. */
export function newton(
  start: Start,
  norm: Norm,
  delta: Float64Array,
  epsilon: number,
  clip: (v: number, i: number) => number,
) {
  const base = norm === 'l1' && start.fromLargest ? delta.reduce((m, v) => Math.max(m, Math.abs(v)), 0) : 0;
  const left = (v: number, t: number) => (norm === 'l2' ? t * v : Math.sign(v) * Math.max(Math.abs(v) - base + t, 0));
  let t = norm === 'l1' && !start.fromLargest ? -start.value : start.value;
  const radius = epsilon * (1 - NEAR / 2);
  for (let step = 0; step < STEPS; step++) {
    let [sum, slope] = [0, 0];
    for (let i = 0; i < delta.length; i++) {
      const free = left(delta[i], t);
      const v = clip(free, i);
      sum += norm === 'l2' ? v * v : Math.abs(v);
      if (v === free) slope += norm === 'l2' ? 2 * v * delta[i] : v !== 0 ? 1 : 0;
    }
    const length = norm === 'l2' ? Math.sqrt(sum) : sum;
    if (length <= epsilon * (1 - 1e-12) && length >= epsilon * (1 - NEAR)) {
      for (let i = 0; i < delta.length; i++) delta[i] = clip(left(delta[i], t), i);
      return true;
    }
    t += ((norm === 'l2' ? radius * radius : radius) - sum) / slope;
  }
  return false;
}

export interface Search {
  /** Index into NORMS. */
  norm: number;
  /** The name of each input and its values, [rows, cols]. */
  inputs: Record<string, Float32Array>;
  entry: Entry;
  cols: number;
  epsilon: number;
  stepSize?: number;
  box?: [number, number];
}

/** The starts of all rows, part by part; `each` finishes a row. */
export async function searchRows(gpu: Gpu, search: Search, each: (row: number, start: Start) => void): Promise<void> {
  const { inputs, cols, epsilon, stepSize = 0, box } = search;
  const names = Object.keys(inputs);
  const rows = inputs[names[0]].length / cols;
  const { binding, workgroups, operations, subgroups } = gpu.limits;
  const pipeline = await gpu.pipeline(searchProgram(NORMS[search.norm], names, cols, subgroups, search.entry));
  const words = [cols, box ? 1 : 0, ...[epsilon, stepSize, ...(box ?? [0, 0])].map(floatBits)];
  const most = Math.min(workgroups, binding / (4 * cols), binding / (4 * FOUND), Math.max(1, operations / (64 * cols)));
  for (const { first, count } of parts(rows, most)) {
    const part = (values: Float32Array) =>
      values.subarray(first * cols, (first + count) * cols) as Float32Array<ArrayBuffer>;
    const buffers = [gpu.buffer(4 * FOUND * count), ...names.map((name) => gpu.buffer(part(inputs[name])))];
    gpu.run([{ pipeline, words, buffers, groups: [count] }]);
    const found = new Uint32Array(FOUND * count);
    await gpu.read([buffers[0], found]);
    gpu.free(...buffers);
    const values = new Float32Array(found.buffer);
    let turn = performance.now();
    for (let i = 0; i < count; i++) {
      each(first + i, { value: values[FOUND * i], fromLargest: found[FOUND * i + 1] === 1 });
      if (performance.now() - turn < 10) continue;
      await new Promise((resolve) => setImmediate(resolve));
      gpu.check();
      turn = performance.now();
    }
  }
}
