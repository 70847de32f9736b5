/**
 * The search that the l2 and l1 projections share: a workgroup per row finds, by bisection on the bits of a float, the scale or the
 * threshold at which the row meets the ball. Its sums are float32's, so the host finishes each row in double (ball.ts).
 */
import type { Norm } from '../matrix.js';
import { folding, threadsOf } from './subgroups.js';

/** Threads of a row: few where it is short, since most of the time goes to their sums. `threads` in the programs. */
const widthFor = (cols: number) => (cols <= 128 ? 32 : 256);

/** Words that a row gets: the float found; l1: 1 where it is counted from the largest entry. */
export const FOUND = 2;

/**
 * `inputs` are the names of the bindings from 2 on. `prepare` runs first, for the row; `delta` is an expression for entry `at` of the
 * perturbation, `x` one for what the box is seen from.
 */
export function searchProgram(
  norm: Norm,
  inputs: string[],
  cols: number,
  subgroups: boolean,
  { prepare = '', delta, x, functions = '' }: Entry,
): string {
  const { head, parameters, begin } = threadsOf(subgroups);
  return `${head}
const threads = ${widthFor(cols)}u;
struct Params { cols: u32, boxed: u32, radius: f32, step: f32, lo: f32, hi: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> found: array<vec2u>;
${inputs.map((name, i) => `@group(0) @binding(${i + 2}) var<storage, read> ${name}: array<f32>;`).join('\n')}
var<private> first: u32;
var<private> local: u32;
${folding(subgroups)}
${functions}
fn delta(at: u32) -> f32 { return ${delta}; }
fn clipped(at: u32, v: f32) -> f32 {
  if (p.boxed == 0u) { return v; }
  return min(max(v, p.lo - ${x}), p.hi - ${x});
}
${norm === 'l2' ? SCALE : THRESHOLD}
@compute @workgroup_size(threads)
fn main(@builtin(workgroup_id) group: vec3u, ${parameters}) {
  ${begin}
  local = index;
  first = group.x * p.cols;
  ${prepare}
  let answer = search();
  if (local == 0u) { found[group.x] = answer; }
}`;
}

export interface Entry {
  functions?: string;
  prepare?: string;
  delta: string;
  x: string;
}

/** The bits of the largest float in [low, high) at which \`fits\` holds, given that it does at low. */
const BISECT = `
fn bisect(start: u32, end: u32, rising: bool) -> u32 {
  var low = start;
  var high = end;
  while (high - low > 1u) {
    let middle = low + (high - low) / 2u;
    if (fits(bitcast<f32>(middle)) == rising) { low = middle; } else { high = middle; }
  }
  return select(high, low, rising);
}`;

/** l2: the scale t with |clip(t delta)| = radius. Entries are measured by the radius, so that squares stay in float32. */
const SCALE = `
fn fits(t: f32) -> bool {
  var sum = 0.0;
  for (var i = local; i < p.cols; i += threads) {
    let v = clipped(first + i, t * delta(first + i)) / p.radius;
    sum += v * v;
  }
  return total(sum) <= 1.0;
}
${BISECT}
fn search() -> vec2u { return vec2u(bisect(0u, bitcast<u32>(1.0f), true), 0u); }`;

/**
 * l1: the threshold, base - shift. Above half of the largest magnitude it is counted from that one, as the reference does it: |v| - base
 * is exact there.
 */
const THRESHOLD = `
var<private> base: f32;
fn fits(shift: f32) -> bool {
  var sum = 0.0;
  for (var i = local; i < p.cols; i += threads) {
    let v = delta(first + i);
    let left = max(abs(v) - base + select(-shift, shift, base > 0.0), 0.0);
    sum += abs(clipped(first + i, select(left, -left, v < 0.0)));
  }
  return total(sum) <= p.radius;
}
${BISECT}
fn search() -> vec2u {
  var most = 0.0;
  for (var i = local; i < p.cols; i += threads) { most = max(most, abs(delta(first + i))); }
  most = largest(most);
  base = most;
  let halfway = bitcast<u32>(most / 2.0);
  if (fits(most / 2.0)) {
    base = 0.0;
    return vec2u(bisect(0u, halfway, false), 0u);
  }
  return vec2u(bisect(0u, halfway, true), 1u);
}`;
