/**
 * The small programs of an iteration of k-means. All but the first few words of `status` are counts of doubtful rows, one per chunk of
 * the points. Where `status[HALT]` is not 0, nothing is done any more: iterations are submitted ahead of what the host knows.
 */
import type { Fixed } from './label-sums.js';
import { sumBelow, type Threads, threadsOf } from './subgroups.js';

export const HALT = 0;
export const CHANGED = 1;
export const MOVED = 2;
export const ITERATION = 3;
/** From here on, the doubtful rows of each chunk. */
export const DOUBTFUL = 4;

/** Why the device stands still. */
export const WHY = { doubtful: 1, empty: 2, strict: 3, settled: 4, most: 5 } as const;

const THREADS = 256;
const ROW = `
  let row = id.y * p.across + id.x;
  if (row >= p.rows) { return; }`;

/** A thread per row, in as many rows of workgroups as it takes. */
export const rowGroups = (rows: number, workgroups: number): { across: number; groups: [number, number] } => {
  const all = Math.ceil(rows / THREADS);
  const x = Math.min(all, workgroups);
  return { across: x * THREADS, groups: [x, Math.ceil(all / x)] };
};

const perRow = (bindings: string[], body: string, params = '') => `
struct Params { rows: u32, across: u32 ${params} }
@group(0) @binding(0) var<uniform> p: Params;
${bindings.map((text, i) => `@group(0) @binding(${i + 1}) var<storage, ${text};`).join('\n')}
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3u) {
  ${body}
}`;

/**
 * Takes the labels that are certain, and counts those that changed. The others go to a list, [row, the nearest, the second, the old
 * label], for the host.
 */
export const settleProgram = perRow(
  [
    'read_write> status: array<atomic<u32>>',
    'read> state: array<vec4u>',
    'read_write> labels: array<u32>',
    'read_write> doubtful: array<vec4u>',
  ],
  `if (atomicLoad(&status[${HALT}]) != 0u) { return; }
  ${ROW}
  let found = state[row];
  let best = bitcast<f32>(found.x);
  let second = bitcast<f32>(found.y);
  let alone = found.w == 0xffffffffu;
  let small = best < p.tiny && !(best == 0.0 && p.zero_is_exact == 1u && (alone || second > 0.0));
  if (small || (!alone && (second < p.tiny || second - best <= p.error * second))) {
    doubtful[atomicAdd(&status[p.counter], 1u)] = vec4u(row, found.z, found.w, labels[row]);
    return;
  }
  if (labels[row] == found.z) { return; }
  labels[row] = found.z;
  atomicAdd(&status[${CHANGED}], 1u);`,
  ', tiny: f32, error: f32, zero_is_exact: u32, counter: u32',
);

/** What the host has decided: [row, label]. */
export const patchProgram = perRow(
  ['read> decided: array<vec2u>', 'read_write> labels: array<u32>'],
  `${ROW}
  labels[decided[row].x] = decided[row].y;`,
);

export const countProgram = perRow(
  ['read> status: array<u32>', 'read> labels: array<u32>', 'read_write> bins: array<atomic<u32>>'],
  `if (status[${HALT}] != 0u) { return; }
  ${ROW}
  atomicAdd(&bins[labels[row]], 1u);`,
);

/** The places of a chunk's rows by label. Their order differs from run to run; exact sums do not. */
export const placeProgram = perRow(
  [
    'read> status: array<u32>',
    'read> labels: array<u32>',
    'read_write> next: array<atomic<u32>>',
    'read_write> order: array<u32>',
  ],
  `if (status[${HALT}] != 0u) { return; }
  ${ROW}
  order[atomicAdd(&next[labels[row]], 1u)] = row;`,
);

const oneGroup = (
  bindings: string[],
  body: string,
  memory: string,
  threads: Threads = threadsOf(false),
) => `${threads.head}
struct Params { k: u32, most: u32, chunks: u32 }
@group(0) @binding(0) var<uniform> p: Params;
${bindings.map((text, i) => `@group(0) @binding(${i + 1}) var<storage, ${text};`).join('\n')}
${memory}
@compute @workgroup_size(${THREADS})
fn main(${threads.parameters}) {
  ${threads.begin}
  let local = ${threads.number};
  ${body}
}`;

/** Where each label's rows begin; adds the chunk's counts to all, and clears them for the next. */
export const scanProgram = (subgroups: boolean) =>
  oneGroup(
    [
      'read> status: array<u32>',
      'read_write> bins: array<u32>',
      'read_write> next: array<u32>',
      'read_write> counts: array<u32>',
    ],
    `if (status[${HALT}] != 0u) { return; }
  let share = (p.k + ${THREADS - 1}u) / ${THREADS}u;
  let first = min(local * share, p.k);
  let end = min(first + share, p.k);
  var sum = 0u;
  for (var i = first; i < end; i++) { sum += bins[i]; }
  var at = sum_below(sum, local);
  for (var i = first; i < end; i++) {
    next[i] = at;
    at += bins[i];
    counts[i] += bins[i];
    bins[i] = 0u;
  }`,
    sumBelow(THREADS, subgroups),
    threadsOf(subgroups),
  );

/** Whether the device stands still, the same for all threads. */
const halted = (load: string) => `var<workgroup> halt: u32;
fn halted(local: u32) -> bool {
  if (local == 0u) { halt = ${load}; }
  return workgroupUniformLoad(&halt) != 0u;
}`;

/** Stands still where a row is doubtful. */
export const judgeLabelsProgram = oneGroup(
  ['read_write> status: array<atomic<u32>>'],
  `if (halted(local)) { return; }
  for (var i = local; i < p.chunks; i += ${THREADS}u) {
    if (atomicLoad(&status[${DOUBTFUL}u + i]) != 0u) { atomicMax(&status[${HALT}], ${WHY.doubtful}u); }
  }`,
  halted(`atomicLoad(&status[${HALT}])`),
);

/** Stands still where a cluster is empty. */
export const judgeCountsProgram = oneGroup(
  ['read_write> status: array<atomic<u32>>', 'read> counts: array<u32>'],
  `if (halted(local)) { return; }
  for (var i = local; i < p.k; i += ${THREADS}u) {
    if (counts[i] == 0u) { atomicMax(&status[${HALT}], ${WHY.empty}u); }
  }`,
  halted(`atomicLoad(&status[${HALT}])`),
);

/** The end of an iteration: counts it, and says whether it was the last. */
export const judgeProgram = oneGroup(
  ['read_write> status: array<u32>', 'read_write> counts: array<u32>'],
  `if (halted(local)) { return; }
  for (var i = local; i < p.k; i += ${THREADS}u) { counts[i] = 0u; }
  if (local > 0u) { return; }
  status[${ITERATION}] += 1u;
  if (status[${CHANGED}] == 0u) { status[${HALT}] = ${WHY.strict}u; }
  else if (status[${MOVED}] == 0u) { status[${HALT}] = ${WHY.settled}u; }
  else if (status[${ITERATION}] >= p.most) { status[${HALT}] = ${WHY.most}u; }
  else { status[${CHANGED}] = 0u; }
  status[${MOVED}] = 0u;`,
  halted(`status[${HALT}]`),
);

/**
 * centroid = sum / count, rounded to nearest, ties to even: a long division of bits, of which no float arithmetic is asked. `grid` is the
 * exponent below which the caller's floats have no bits (what they were scaled by included). Clears the sums.
 */
export function moveProgram({ unit, words }: Fixed, wide: number, grid: number): string {
  return `
struct Params { rows: u32, across: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> status: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;
@group(0) @binding(3) var<storage, read> counts: array<u32>;
@group(0) @binding(4) var<storage, read_write> centroids: array<u32>;
fn quotient(at: u32, count: u32) -> u32 {
  let negative = sums[at + ${words - 1}u] >= 0x80000000u;
  var carry = select(0u, 1u, negative);
  for (var i = at; i < at + ${words}u; i++) {
    let word = select(sums[i], ~sums[i] + carry, negative);
    carry = select(0u, carry, sums[i] == 0u);
    sums[i] = word;
  }
  var bit = ${32 * words - 1};
  var q = 0u;
  var rest = 0u;
  // One bit more than a float has, for the rounding.
  while (q < 0x1000000u && bit + (${unit}) >= ${grid - 1} && bit >= ${-33 - 32}) {
    rest <<= 1u;
    if (bit >= 0) { rest |= (sums[at + u32(bit) / 32u] >> (u32(bit) % 32u)) & 1u; }
    q <<= 1u;
    if (rest >= count) { rest -= count; q |= 1u; }
    bit--;
  }
  var sticky = rest != 0u;
  if (bit >= 0) {
    for (var i = 0u; i < u32(bit) / 32u; i++) { sticky = sticky || sums[at + i] != 0u; }
    sticky = sticky || (sums[at + u32(bit) / 32u] & (0xffffffffu >> (31u - u32(bit) % 32u))) != 0u;
  }
  var m = q >> 1u;
  if ((q & 1u) == 1u && (sticky || (m & 1u) == 1u)) { m++; }
  if (m == 0u) { return 0u; }
  let shift = i32(countLeadingZeros(m)) - 8;
  m = select(m >> u32(max(-shift, 0)), m << u32(max(shift, 0)), shift >= 0);
  // The lowest bit of q is worth 2^(bit + 1 + unit).
  let exponent = bit + 2 + (${unit}) - shift + 150;
  if (exponent <= 0) { return 0u; }
  return (u32(exponent) << 23u) | (m & 0x7fffffu) | select(0u, 0x80000000u, negative);
}
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (atomicLoad(&status[${HALT}]) != 0u) { return; }
  ${ROW}
  let moved = quotient(row * ${words}u, counts[row / ${wide}u]);
  for (var i = 0u; i < ${words}u; i++) { sums[row * ${words}u + i] = 0u; }
  let old = centroids[row];
  centroids[row] = moved;
  if (moved != old && ((moved | old) & 0x7fffffffu) != 0u) { atomicOr(&status[${MOVED}], 1u); }
}`;
}
