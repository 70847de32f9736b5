/**
 * The product of rows that the distance kernels share: a workgroup computes a square of results from slices of rows in workgroup memory,
 * a thread 4 x 4 of it in registers. Sums go over a slice's dimensions, then over the slices: the error grows with the number of
 * slices, and the bits of a result depend on its two rows alone, whatever the tile.
 *
 * Squared distances are sums of squared differences, never |x|² + |y|² - 2xy: that takes an operation more per term, and nothing cancels.
 */
import type { GpuLimits } from './run.js';

/** What is summed: a product, a squared difference, or one of rows in two floats per value (cosine). */
export type Term = 'product' | 'difference' | 'unit';

export interface Tile {
  term: Term;
  /** Threads on a side of the workgroup. */
  threads: number;
  /** Rows and columns of the workgroup's square: four per thread. */
  side: number;
}

/** Vectors of four dimensions in a slice; half as many where a value has two floats. */
const sliceOf = (term: Term) => (term === 'unit' ? 2 : 4);
const halves = (term: Term) => (term === 'unit' ? ['h', 'l'] : ['h']);

/** Bytes of workgroup memory of the slices; a vector of padding per line keeps threads off each other's banks. */
const sharedOf = ({ term, side }: Tile) => 2 * halves(term).length * 4 * sliceOf(term) * (side / 4 + 1) * 16;

/** Bytes that a kernel's end takes besides. */
const END = 4096;

/** Workgroups that keep a large GPU busy. */
const BUSY = 256;

/** The largest tile that the device has the memory and the threads for, and of which `rows` x `columns` results give enough. */
export function tileFor(term: Term, { shared, invocations }: GpuLimits, rows: number, columns: number): Tile {
  const [large, small] = [16, 8].map((threads): Tile => ({ term, threads, side: 4 * threads }));
  const fits = large.threads ** 2 <= invocations && sharedOf(large) + END <= shared;
  return fits && rows * columns >= BUSY * large.side ** 2 ? large : small;
}

/** A bound of the relative error of a squared distance, for additions that may round to either side. */
export const distanceError = (cols: number) => (24 + cols / 16) * 2 ** -23;

/** A thread's rows; the results of row i are `s{i}`, a vec4f of its columns. */
export const ROWS = [0, 1, 2, 3];
export const each = <T>(list: T[], text: (item: T) => string) => list.map(text).join('\n');

/** Bindings of the rows, from `first` on: a, b, and with two floats their lower halves. */
export function bindingsOf({ term }: Tile, first: number): string {
  return each(
    ['a', 'b'].flatMap((side) => halves(term).map((half) => side + half)),
    (name) => `@group(0) @binding(${first++}) var<storage, read> ${name}: array<vec4f>;`,
  );
}

/** Memory and functions of the product. `dims` is an expression: the vectors of four in a row. */
export function tileCode(tile: Tile): string {
  const { term, threads, side } = tile;
  const slice = sliceOf(term);
  const line = side / 4 + 1;
  const shared = ['a', 'b'].flatMap((name) => halves(term).map((half) => name + half));
  return `
${each(shared, (name) => `var<workgroup> s_${name}: array<vec4f, ${4 * slice * line}>;`)}
${each(shared, (name) => loader(name, tile))}
fn load_slice(at: u32, dims: u32, a_first: u32, a_end: u32, b_first: u32, b_end: u32, local: u32) {
  for (var t = local; t < ${(side / 4) * slice}u; t += ${threads * threads}u) {
    ${each(shared, (name) => `load_${name}(t, at, dims, ${name[0]}_first, ${name[0]}_end);`)}
  }
}`;
}

/** Four rows' vectors, turned round: what is in memory is one dimension of four rows. */
function loader(name: string, { term, side }: Tile): string {
  const slice = sliceOf(term);
  const line = side / 4 + 1;
  return `
fn row_${name}(row: u32, end: u32, quad: u32, dims: u32) -> vec4f {
  if (row >= end || quad >= dims) { return vec4f(); }
  return ${name}[row * dims + quad];
}
fn load_${name}(t: u32, at: u32, dims: u32, first: u32, end: u32) {
  let quad = t % ${slice}u;
  let row = first + t / ${slice}u * 4u;
  let r0 = row_${name}(row, end, at + quad, dims);
  let r1 = row_${name}(row + 1u, end, at + quad, dims);
  let r2 = row_${name}(row + 2u, end, at + quad, dims);
  let r3 = row_${name}(row + 3u, end, at + quad, dims);
  let to = quad * ${4 * line}u + t / ${slice}u;
  s_${name}[to] = vec4f(r0.x, r1.x, r2.x, r3.x);
  s_${name}[to + ${line}u] = vec4f(r0.y, r1.y, r2.y, r3.y);
  s_${name}[to + ${2 * line}u] = vec4f(r0.z, r1.z, r2.z, r3.z);
  s_${name}[to + ${3 * line}u] = vec4f(r0.w, r1.w, r2.w, r3.w);
}`;
}

/**
 * The statements that leave a thread's sums in s{i}. In scope: lid (local_invocation_id), local (its index), dims, a_first, a_end,
 * b_first, b_end.
 */
export function sumCode(tile: Tile): string {
  const { term, side } = tile;
  const line = side / 4 + 1;
  const slice = sliceOf(term);
  const fetch = (name: string, thread: string) => `let ${name} = s_${name}[k * ${line}u + ${thread}];`;
  return `
${each(ROWS, (i) => `var s${i} = vec4f();`)}
for (var at = 0u; at < dims; at += ${slice}u) {
  workgroupBarrier();
  load_slice(at, dims, a_first, a_end, b_first, b_end, local);
  workgroupBarrier();
  ${each(ROWS, (i) => `var p${i} = vec4f();`)}
  for (var k = 0u; k < ${4 * slice}u; k++) {
    ${each(halves(term), (half) => fetch(`a${half}`, 'lid.y') + fetch(`b${half}`, 'lid.x'))}
    ${each(ROWS, (i) => termCode(term, i))}
  }
  ${each(ROWS, (i) => `s${i} += p${i};`)}
}`;
}

function termCode(term: Term, i: number): string {
  const a = (half: string) => `vec4f(a${half}[${i}])`;
  if (term === 'product') return `p${i} = fma(${a('h')}, bh, p${i});`;
  const low = term === 'unit' ? ` + (${a('l')} - bl)` : '';
  return `{ let t = ${a('h')} - bh${low}; p${i} = fma(t, t, p${i}); }`;
}
