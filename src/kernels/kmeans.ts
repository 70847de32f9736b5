import { randomStream } from '../random.js';
import { ownMatrix } from './device-matrix.js';
import { type Checked, checkKMeans, type KMeansOptions, type KMeansProgress, type Starts } from './kmeans-options.js';
import { type AsyncKernelOptions, batchOf, type Matrix } from './matrix.js';
import { type KMeansArgs, kmeansReference } from './reference/kmeans.js';
import { kmeansPlusPlusReference } from './reference/kmeans-plus-plus.js';
import { type KernelCall, runAsync, runSync } from './run-kernel.js';

export type { KMeansOptions, KMeansProgress } from './kmeans-options.js';

/** What {@link kmeans} found, of its best start. */
export interface KMeansResult {
  /** [B,n] */
  labels: Int32Array;
  /** [B,k,d] */
  centroids: Matrix;
  /** [B,k] rows of each cluster. */
  counts: Int32Array;
  /** Summed squared distance of the rows to their centroids, over all batches. */
  inertia: number;
  /** Of the returned start; the largest over batches. An iteration assigns, then updates. */
  iterations: number;
  /** Whether every batch stopped before `maxIterations`. */
  converged: boolean;
}

/**
 * Lloyd's k-means of the rows of `points` [B,n,d], each batch by itself. An empty cluster takes the point farthest from its
 * centroid. The same seed gives the same start on every device.
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit, ERR_NOT_FINITE naming the first bad row, ERR_ABORTED.
 *
 * @example
 * ```ts
 * import { kmeans } from 'eat-dml/kernels';
 *
 * const random = (rows: number, cols: number) => ({ data: Float32Array.from({ length: rows * cols }, Math.random), rows, cols });
 * const { labels, centroids, inertia } = await kmeans(random(1000, 64), { k: 10, restarts: 5, seed: 1 });
 * console.log(labels[0], centroids.rows, inertia);
 * ```
 */
export async function kmeans(points: Matrix, options: KMeansOptions & AsyncKernelOptions): Promise<KMeansResult> {
  return kmeansOfStarts(points, options);
}

/** {@link kmeans} of some of the starts, for those who share them out: the best from `begin` to before `end`. */
export async function kmeansOfStarts(
  points: Matrix,
  options: KMeansOptions & AsyncKernelOptions,
  starts?: Starts,
): Promise<KMeansResult> {
  const given = checkKMeans(points, options);
  const stop = new AbortController();
  const thrown: { error?: unknown } = {};
  const watched = watch(given, (error) => {
    thrown.error = error;
    stop.abort(error);
  });
  const { device, signal: asked } = given.options;
  const signal = asked ? AbortSignal.any([asked, stop.signal]) : stop.signal;
  const own = ownMatrix(given.points, device, 'kmeans', { ...given, starts: given.restarts });
  const steps = plan({ ...watched, options: { ...given.options, signal }, points: own }, starts);
  try {
    let step = steps.next();
    while (!step.done) {
      await runAsync(step.value);
      if ('error' in thrown) throw thrown.error;
      step = steps.next();
    }
    return step.value;
  } catch (error) {
    throw 'error' in thrown ? thrown.error : error;
  } finally {
    if (own !== given.points) own.dispose();
  }
}

/** {@link kmeans}, at once. */
export function kmeansSync(points: Matrix, options: KMeansOptions): KMeansResult {
  const given = checkKMeans(points, options);
  // The callback may do anything to the caller's arrays.
  const own =
    given.onIteration && ownMatrix(given.points, given.options.device, 'kmeans', { ...given, starts: given.restarts });
  const steps = plan({ ...given, points: own ?? given.points });
  try {
    let step = steps.next();
    while (!step.done) {
      runSync(step.value);
      step = steps.next();
    }
    return step.value;
  } finally {
    if (own !== given.points) own?.dispose();
  }
}

/** The options with a callback whose exception is handed to `onError`: thrown on the event loop it would end the process. */
function watch(options: Checked, onError: (error: unknown) => void): Checked {
  const { onIteration } = options;
  if (!onIteration) return options;
  const guarded = (progress: KMeansProgress) => {
    try {
      onIteration(progress);
    } catch (error) {
      onError(error);
    }
  };
  return { ...options, onIteration: guarded };
}

// biome-ignore lint/suspicious/noExplicitAny: the calls of one plan have different arguments
type AnyCall = KernelCall<any>;
type Plan = Generator<AnyCall, KMeansResult>;

/** The kernel calls of all matrices, several starts at once; returns the best start of each matrix. */
function* plan(given: Checked, { begin, end }: Starts = { begin: 0, end: given.restarts }): Plan {
  const { k } = given;
  const { rows, cols } = given.points;
  const best: (Outcome | undefined)[] = Array.from({ length: batchOf(given.points) });
  const together = Math.max(1, Math.floor(STARTS_VALUES / (best.length * (rows + k * cols))));
  for (let first = begin; first < end; first += together) {
    const starts = Math.min(together, end - first);
    const args = lloydArgs(given, first, starts);
    yield* fillStarts(args.centroids, given, first, starts);
    const problems = best.length * starts;
    const init = { data: args.centroids.slice(), rows: k, cols, ...(problems > 1 && { batch: problems }) };
    yield {
      kernel: 'kmeans',
      options: given.options,
      args,
      reference: kmeansReference,
      inputs: { points: given.points, init },
      result: () => lloydResult(args),
    };
    for (let problem = 0; problem < args.inertia.length; problem++) {
      const batch = Math.floor(problem / starts);
      const known = best[batch];
      if (!known || args.inertia[problem] < known.args.inertia[known.problem]) best[batch] = { args, problem };
    }
  }
  return combine(given.points, k, best as Outcome[]);
}

/** Values (labels and centroids) that starts held at once may take. */
const STARTS_VALUES = 2 ** 24;

/** One problem of one call. */
interface Outcome {
  args: KMeansArgs;
  problem: number;
}

/** Rounds in which k-means|| draws its centroids. */
const ROUNDS = 32;

/** The first centroids of one start of one batch. */
function* start(points: Matrix, o: Checked, batch: number, restart: number): Generator<AnyCall, Float32Array> {
  const { k, init } = o;
  const { cols, rows } = points;
  if (typeof init !== 'string') return init.data.slice(batch * k * cols, (batch + 1) * k * cols);
  const random = randomStream(o.seed, 'kmeans', batch, restart);
  let chosen: Int32Array;
  if (init === 'random') {
    chosen = random.permutation(rows).subarray(0, k);
  } else {
    const greedy = init === 'k-means++';
    const trials = greedy ? 2 + Math.floor(Math.log(k)) : 1;
    const block = greedy ? 1 : Math.ceil(k / ROUNDS);
    chosen = new Int32Array(k);
    const args = { points, k, trials, block, uniforms: random.uniforms(k * trials), chosen };
    yield {
      kernel: 'kmeansPlusPlus',
      options: o.options,
      args,
      reference: kmeansPlusPlusReference,
      inputs: { points },
      result: () => args.chosen,
    };
  }
  const centroids = new Float32Array(k * cols);
  chosen.forEach((row, c) => {
    centroids.set(points.data.subarray(row * cols, (row + 1) * cols), c * cols);
  });
  return centroids;
}

/** The first centroids of starts `first` .. of every matrix, into `centroids` [B,starts,k,d]. */
function* fillStarts(centroids: Float32Array, o: Checked, first: number, starts: number): Generator<AnyCall, void> {
  const { rows, cols, data } = o.points;
  for (let b = 0; b < batchOf(o.points); b++) {
    // A single matrix as it is: it may be one that stays on the device.
    const whole = batchOf(o.points) === 1;
    const matrix = whole ? o.points : { data: data.subarray(b * rows * cols, (b + 1) * rows * cols), rows, cols };
    for (let s = 0; s < starts; s++) {
      centroids.set(yield* start(matrix, o, b, first + s), (b * starts + s) * o.k * cols);
    }
  }
}

function lloydArgs(o: Checked, first: number, starts: number): KMeansArgs {
  const { points, k, maxIterations, pruning, onIteration } = o;
  const problems = batchOf(points) * starts;
  return {
    points,
    k,
    starts,
    maxIterations,
    pruning,
    tolerance: o.tolerance > 0 ? o.tolerance * meanVariance(points) : 0,
    centroids: new Float32Array(problems * k * points.cols),
    labels: new Int32Array(problems * points.rows),
    counts: new Int32Array(problems * k),
    inertia: new Float64Array(problems),
    iterations: new Int32Array(problems),
    converged: new Uint8Array(problems),
    onIteration:
      onIteration &&
      (({ problem, ...progress }) =>
        onIteration({ ...progress, batch: Math.floor(problem / starts), restart: first + (problem % starts) })),
  };
}

const lloydResult = ({ centroids, labels, counts, inertia, iterations, converged }: KMeansArgs) => [
  ...[centroids, labels, counts, inertia, iterations, converged],
];

/** Mean over the columns of their variance, over the rows of all matrices. */
function meanVariance({ data, cols }: Matrix): number {
  const rows = data.length / cols;
  const sum = new Float64Array(cols);
  for (let i = 0; i < data.length; i++) sum[i % cols] += data[i];
  let squares = 0;
  for (let i = 0; i < data.length; i++) squares += (data[i] - sum[i % cols] / rows) ** 2;
  return squares / data.length;
}

function combine(points: Matrix, k: number, outcomes: Outcome[]): KMeansResult {
  const { rows, cols, batch } = points;
  const labels = new Int32Array(outcomes.length * rows);
  const counts = new Int32Array(outcomes.length * k);
  const data = new Float32Array(outcomes.length * k * cols);
  const slice = <T extends Int32Array | Float32Array>(values: T, problem: number, size: number) =>
    values.subarray(problem * size, (problem + 1) * size) as T;
  outcomes.forEach(({ args, problem }, b) => {
    labels.set(slice(args.labels, problem, rows), b * rows);
    counts.set(slice(args.counts, problem, k), b * k);
    data.set(slice(args.centroids, problem, k * cols), b * k * cols);
  });
  return {
    labels,
    centroids: { data, rows: k, cols, ...(batch !== undefined && { batch }) },
    counts,
    inertia: outcomes.reduce((sum, { args, problem }) => sum + args.inertia[problem], 0),
    iterations: outcomes.reduce((most, { args, problem }) => Math.max(most, args.iterations[problem]), 0),
    converged: outcomes.every(({ args, problem }) => args.converged[problem] === 1),
  };
}
