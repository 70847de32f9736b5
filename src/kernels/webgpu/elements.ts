/** What the linf kernels share: four values per thread, in whole arrays. */
import { parts } from './rows.js';
import { floatBits, type Gpu } from './run.js';

const THREADS = 256;

/** `out` is an expression of vectors, of the inputs by their names and of p.epsilon, p.step, p.lo and p.hi. */
function program(inputs: string[], out: string): string {
  return `
struct Params { count: u32, across: u32, epsilon: f32, step: f32, lo: f32, hi: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;
${inputs.map((name, i) => `@group(0) @binding(${i + 2}) var<storage, read> in_${name}: array<vec4f>;`).join('\n')}
// By the bits: a gradient that is subnormal has a sign, too.
fn signs(v: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(v);
  return select(select(vec4f(1.0), vec4f(-1.0), bits >= vec4u(0x80000000u)), vec4f(), (bits & vec4u(0x7fffffffu)) == vec4u());
}
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * p.across + id.x;
  if (i >= p.count) { return; }
  ${inputs.map((name) => `let ${name} = in_${name}[i];`).join('\n')}
  result[i] = ${out};
}`;
}

export interface Elements {
  inputs: Record<string, Float32Array>;
  /** The expression; with its own for a box. */
  out: string;
  numbers: { epsilon: number; step: number; lo: number; hi: number };
}

/** Fills `out`, of the inputs' length. */
export async function runElements(
  gpu: Gpu,
  { inputs, out: text, numbers }: Elements,
  out: Float32Array,
): Promise<void> {
  const names = Object.keys(inputs);
  const { epsilon, step, lo, hi } = numbers;
  const pipeline = await gpu.pipeline(program(names, text));
  const across = gpu.limits.workgroups * THREADS;
  for (const { first, count } of parts(out.length, Math.min(gpu.limits.binding / 4, 2 ** 24) & ~3)) {
    const part = (values: Float32Array) => values.subarray(first, first + count) as Float32Array<ArrayBuffer>;
    const vectors = Math.ceil(count / 4);
    const buffers = [gpu.buffer(4 * count), ...names.map((name) => gpu.buffer(part(inputs[name])))];
    const groups: [number, number] = [Math.ceil(Math.min(vectors, across) / THREADS), Math.ceil(vectors / across)];
    const words = [vectors, across, ...[epsilon, step, lo, hi].map(floatBits)];
    gpu.run([{ pipeline, words, buffers, groups }]);
    await gpu.read([buffers[0], part(out)]);
    gpu.free(...buffers);
  }
}

/** Magnitudes that float32 adds and multiplies without leaving its range, or zero. */
export const isOrdinary = (x: number) => x === 0 || (Math.abs(x) >= 2 ** -60 && Math.abs(x) <= 2 ** 60);
