/**
 * What the threads of a workgroup hand each other: by subgroup operations where the device has them, which takes few barriers, else through
 * workgroup memory alone. Which thread is in which subgroup is the driver's choice: where it matters, threads are counted by their places.
 */
import type { GpuAdapter, GpuDevice } from './types.js';

/** Workgroups of 64 threads, the smallest that count by places, are whole subgroups where none is larger. */
const LARGEST = 64;

/** Whether programs can use them; `subgroup_id` is a feature of the compiler. */
export function hasSubgroups(
  { features }: Pick<GpuDevice, 'features'>,
  { info }: Pick<GpuAdapter, 'info'>,
  language?: ReadonlySet<string>,
): boolean {
  const { subgroupMaxSize = Number.POSITIVE_INFINITY } = info;
  return features.has('subgroups') && language?.has('subgroup_id') === true && subgroupMaxSize <= LARGEST;
}

/** Parts of a program's text. */
export interface Threads {
  /** Its beginning, from which on {@link sumBelow} and {@link folding} can be called. */
  head: string;
  /** Parameters of `main` besides its own, `index` among them: the thread's number by the workgroup's shape. */
  parameters: string;
  /** The first statements of `main`. */
  begin: string;
  /** In `main`, the thread's number by its place in the subgroups. */
  number: string;
}

export function threadsOf(subgroups: boolean): Threads {
  const index = '@builtin(local_invocation_index) index: u32';
  if (!subgroups) return { head: '', parameters: index, begin: '', number: 'index' };
  return {
    head: `
enable subgroups;
var<private> subgroup: u32;
var<private> lane: u32;
var<private> lanes: u32;
var<private> subgroups: u32;`,
    parameters: `${index}, @builtin(subgroup_id) own_subgroup: u32, @builtin(subgroup_invocation_id) own_lane: u32,
  @builtin(subgroup_size) own_lanes: u32, @builtin(num_subgroups) own_subgroups: u32`,
    begin: `
  subgroup = own_subgroup;
  lane = own_lane;
  lanes = own_lanes;
  subgroups = own_subgroups;`,
    number: 'own_subgroup * own_lanes + own_lane',
  };
}

/** `sum_below(value, local)`, the sum over all threads of lower numbers. Two calls need a barrier between them. */
export const sumBelow = (threads: number, subgroups: boolean) => `
var<workgroup> sums: array<u32, ${threads}>;
fn sum_below(value: u32, local: u32) -> u32 {
  ${subgroups ? BELOW_BY_SUBGROUPS : BELOW}
  return sum;
}`;

const BELOW = `
  sums[local] = value;
  workgroupBarrier();
  var sum = 0u;
  for (var i = 0u; i < local; i++) { sum += sums[i]; }`;

const BELOW_BY_SUBGROUPS = `
  var sum = subgroupExclusiveAdd(value);
  if (lane == lanes - 1u) { sums[subgroup] = sum + value; }
  workgroupBarrier();
  for (var i = 0u; i < subgroup; i++) { sum += sums[i]; }`;

/** How two values become one. */
const FOLDS = {
  total: { fold: (a: string, b: string) => `${a} + ${b}`, operation: 'subgroupAdd' },
  largest: { fold: (a: string, b: string) => `max(${a}, ${b})`, operation: 'subgroupMax' },
};

/**
 * `total(value)` and `largest(value)` over all threads of a workgroup, of which there are `threads`, a power of two; the same for all of
 * them. `local` is a variable of the program.
 */
export function folding(subgroups: boolean): string {
  const functions = Object.entries(FOLDS).map(
    ([name, { fold, operation }]) => `
fn ${name}(value: f32) -> f32 {
  ${subgroups ? foldBySubgroups(fold, operation) : foldByHalves(fold)}
}`,
  );
  return `
var<workgroup> parts: array<f32, threads>;
${subgroups ? 'var<workgroup> folded: f32;' : ''}
${functions.join('')}`;
}

type Fold = (a: string, b: string) => string;

const foldByHalves = (fold: Fold) => `
  workgroupBarrier();
  parts[local] = value;
  for (var half = threads / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { parts[local] = ${fold('parts[local]', 'parts[local + half]')}; }
  }
  return workgroupUniformLoad(&parts[0]);`;

const foldBySubgroups = (fold: Fold, operation: string) => `
  let own = ${operation}(value);
  if (subgroupElect()) { parts[subgroup] = own; }
  workgroupBarrier();
  if (local == 0u) {
    var all = parts[0];
    for (var i = 1u; i < subgroups; i++) { all = ${fold('all', 'parts[i]')}; }
    folded = all;
  }
  return workgroupUniformLoad(&folded);`;
