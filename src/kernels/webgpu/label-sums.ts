/**
 * Sums of rows by label, exactly: a float is an integer of 24 bits at a place of its own in a sum of several words. So the order of the
 * additions does not matter, integer atomics do, and no compiler's fused or reordered float arithmetic can change a bit.
 */
import type { Magnitudes } from './rows.js';

/** Rows that a thread sums before it adds to the sums in memory. */
const RUN = 64;
const THREADS = 256;
/** Words beyond which a sum is left to the host. */
const MOST_WORDS = 12;

export interface Fixed {
  /** The exponent of a sum's lowest bit. */
  unit: number;
  /** Words of 32 bits of a sum, in two's complement. */
  words: number;
}

const exponentOf = (x: number) => Math.max(-126, Math.floor(Math.log2(x) + 1e-9));

/** What holds the sum of `rows` values of these magnitudes, times weights of those; undefined where no sum is that wide. */
export function fixedFor(values: Magnitudes, rows: number, scale = 1, weights?: Magnitudes): Fixed | undefined {
  const least = (m: Magnitudes, by: number) => (m.least === 0 ? 0 : exponentOf(m.least * by) - 24);
  const most = (m: Magnitudes, by: number) => (m.largest === 0 ? 0 : exponentOf(m.largest * by) + 2);
  const unit = least(values, scale) + (weights ? least(weights, 1) : 0);
  const top = most(values, scale) + (weights ? most(weights, 1) : 0) + Math.ceil(Math.log2(rows + 1)) + 1;
  const words = Math.max(2, Math.ceil((top - unit) / 32));
  return words <= MOST_WORDS ? { unit, words } : undefined;
}

/** The value of a sum, as a double. */
export function fixedValue(sums: Uint32Array, at: number, { unit, words }: Fixed): number {
  const negative = sums[at + words - 1] >= 2 ** 31;
  let value = 0;
  for (let i = words - 1; i >= 0; i--) value = value * 2 ** 32 + (negative ? 2 ** 32 - 1 - sums[at + i] : sums[at + i]);
  // In two halves: 2^unit may be no double where the product is one.
  return (negative ? -(value + 1) : value) * 2 ** Math.ceil(unit / 2) * 2 ** Math.floor(unit / 2);
}

/** Threads beside each other read columns beside each other; what is left of them takes other rows. */
export function sumGroups(rows: number, wide: number): [number, number] {
  const columns = columnsOf(wide);
  return [Math.ceil(rows / ((THREADS / columns) * RUN)), Math.ceil(wide / columns)];
}

const columnsOf = (wide: number) => Math.min(64, 2 ** Math.ceil(Math.log2(wide)));

const list = (count: number, text: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => text(i)).join('\n');

/**
 * Adds rows to `sums`, [labels, wide, words]. `order` has rows of one label next to each other, so that a thread seldom adds to memory.
 */
export function sumProgram({ unit, words }: Fixed, wide: number, weighted: boolean): string {
  const columns = columnsOf(wide);
  const at = (i: number) =>
    ['low', 'middle', 'high']
      .map((part, p) => (p <= i ? `select(0u, ${part}, word == ${i - p}u)` : ''))
      .filter(Boolean)
      .join(' | ');
  return `
struct Params { rows: u32, stop: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> sums: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read> halt: array<u32>;
@group(0) @binding(3) var<storage, read> points: array<u32>;
@group(0) @binding(4) var<storage, read> labels: array<u32>;
@group(0) @binding(5) var<storage, read> order: array<u32>;
${weighted ? '@group(0) @binding(6) var<storage, read> weights: array<u32>;' : ''}
${list(words, (i) => `var<private> s${i}: u32;`)}
fn mantissa(bits: u32) -> u32 { return select(0x800000u, 0u, (bits & 0x7f800000u) == 0u) | (bits & 0x7fffffu); }
fn place(bits: u32) -> i32 { return i32(max((bits >> 23u) & 0xffu, 1u)) - 150; }
fn add(x: u32, w: u32) {
  ${weighted ? PRODUCT : 'var lo = mantissa(x); let hi = 0u; let at = place(x);'}
  let up = max(at - (${unit}), 0);
  let word = u32(up) / 32u;
  let by = u32(up) % 32u;
  let low = lo << by;
  let middle = (hi << by) | select(lo >> ((32u - by) & 31u), 0u, by == 0u);
  let high = select(hi >> ((32u - by) & 31u), 0u, by == 0u);
  let mask = select(0u, 0xffffffffu, x >= 0x80000000u);
  var carry = mask & 1u;
  ${list(words, (i) => `{ let more = (${at(i)}) ^ mask; let sum = s${i} + more; let all = sum + carry; carry = select(0u, 1u, sum < more) | select(0u, 1u, all < sum); s${i} = all; }`)}
}
fn give(first: u32) {
  var carry = 0u;
  ${list(words, (i) => `{ let more = s${i} + carry; if (more == 0u) { carry = select(0u, carry, s${i} != 0u); } else { let old = atomicAdd(&sums[first + ${i}u], more); carry = select(0u, 1u, old + more < old); } s${i} = 0u; }`)}
}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  if (p.stop == 1u && halt[0] != 0u) { return; }
  let column = group.y * ${columns}u + local % ${columns}u;
  if (column >= ${wide}u) { return; }
  let first = (group.x * ${THREADS / columns}u + local / ${columns}u) * ${RUN}u;
  if (first >= p.rows) { return; }
  var label = labels[order[first]];
  for (var i = first; i < min(first + ${RUN}u, p.rows); i++) {
    let row = order[i];
    if (labels[row] != label) { give((label * ${wide}u + column) * ${words}u); label = labels[row]; }
    add(points[row * ${wide}u + column], ${weighted ? 'weights[row]' : '0u'});
  }
  give((label * ${wide}u + column) * ${words}u);
}`;
}

/** 24 times 24 bits, by halves of 12. */
const PRODUCT = `
  let a = mantissa(x);
  let b = mantissa(w);
  let mid = (a & 0xfffu) * (b >> 12u) + (a >> 12u) * (b & 0xfffu);
  let ends = (a & 0xfffu) * (b & 0xfffu);
  let top = (a >> 12u) * (b >> 12u);
  var lo = ends + (mid << 12u);
  var hi = (mid >> 20u) + select(0u, 1u, lo < ends);
  let more = lo + (top << 24u);
  hi += (top >> 8u) + select(0u, 1u, more < lo);
  lo = more;
  let at = place(x) + place(w);`;
