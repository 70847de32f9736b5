import type { Matrix } from '../matrix.js';
import { inertiaOf, type KMeansArgs, kmeansReference, problemOf, update } from '../reference/kmeans.js';
import { planRows } from './distance-tiles.js';
import { onHost, type WebgpuKernel } from './host.js';
import { type Chunk, KMeansDevice } from './kmeans-device.js';
import { CHANGED, DOUBTFUL, HALT, ITERATION, WHY } from './kmeans-programs.js';
import { fixedFor } from './label-sums.js';
import { nearestExactly } from './nearest-centroid.js';
import { magnitudes, packRows, padded } from './rows.js';
import type { Gpu } from './run.js';
import { tileFor } from './tile.js';

/** Iterations that are submitted before the host looks again. */
const AHEAD = 8;

/**
 * Lloyd, each start of each matrix after the other. The device goes on by itself until a row is doubtful, a cluster empty or all at rest:
 * then it stands still, and the host does what takes double precision.
 */
export const kmeans: WebgpuKernel<KMeansArgs> = async (args, gpu) => {
  const { points, k } = args;
  const { rows, cols } = points;
  const problems = args.inertia.length;
  const init = { data: args.centroids, rows: k, cols, ...(problems > 1 && { batch: problems }) };
  const plan = planRows({ points, init }, 'sqeuclidean', args.checkFinite ?? true);
  const sizes = magnitudes(points);
  const fixed = plan && fixedFor(sizes, rows, plan.scale);
  const fits = fixed && 4 * k * padded(cols) * fixed.words <= gpu.limits.binding && rows < 2 ** 31;
  // Beside the largest values the least would be lost.
  if (!plan || !fits || sizes.least * plan.scale < (sizes.least && 2 ** -100))
    return onHost(kmeansReference(args), gpu);
  const tile = tileFor('difference', gpu.limits, rows, k);
  const device = await KMeansDevice.make(gpu, points, k, plan, tile, fixed);
  for (let problem = 0; problem < args.inertia.length; problem++) {
    const own = problemOf(args, problem);
    if (problem % args.starts === 0) device.load(own.points);
    await new Problem(own, device, gpu).run();
  }
};

/** One start of one matrix. */
class Problem {
  readonly #status: Uint32Array<ArrayBuffer>;

  constructor(
    readonly args: KMeansArgs,
    readonly device: KMeansDevice,
    readonly gpu: Gpu,
  ) {
    this.#status = new Uint32Array(DOUBTFUL + device.chunks.length);
  }

  async run(): Promise<void> {
    const { args, device } = this;
    device.start();
    this.#writeCentroids();
    const watched = args.onIteration !== undefined || args.tolerance > 0;
    let why = 0;
    while (why === 0 || why === WHY.doubtful || why === WHY.empty)
      why = watched ? await this.#watched() : await this.#ahead();
    const iterations = this.#status[ITERATION];
    await this.#readCentroids();
    if (why !== WHY.strict) {
      this.#status.fill(0);
      this.gpu.write(device.status, this.#status);
      await this.#assign();
    }
    await this.#readLabels();
    args.inertia[0] = inertiaOf(args);
    args.iterations[0] = iterations;
    args.converged[0] = why === WHY.most ? 0 : 1;
    args.counts.fill(0);
    for (const label of args.labels) args.counts[label]++;
  }

  /** Several iterations in one submission; what stopped them is seen to. Returns why all is at rest, or 0. */
  async #ahead(): Promise<number> {
    const { device, gpu, args } = this;
    const each = args.points.rows * args.k * padded(args.points.cols);
    const count = Math.max(1, Math.min(AHEAD, Math.floor(gpu.limits.operations / each)));
    const one = [...device.assign(), ...device.update(args.maxIterations)];
    await this.#submit(Array.from({ length: count }, () => one).flat());
    if (this.#status[HALT] === WHY.doubtful) {
      await this.#decide();
      return this.#update();
    }
    return this.#status[HALT] === WHY.empty ? this.#updateOnHost() : this.#status[HALT];
  }

  /** One iteration of which the host sees both halves. */
  async #watched(): Promise<number> {
    const { args } = this;
    await this.#assign();
    const changed = this.#status[CHANGED];
    await this.#readCentroids();
    let inertia = 0;
    if (args.onIteration) {
      await this.#readLabels();
      inertia = inertiaOf(args);
    }
    const before = args.centroids.slice();
    let why = await this.#update();
    if (args.tolerance > 0 && why !== WHY.strict) {
      await this.#readCentroids();
      const shift = before.reduce((sum, x, e) => sum + (args.centroids[e] - x) ** 2, 0);
      if (shift <= args.tolerance) why = WHY.settled;
    }
    args.onIteration?.({ problem: 0, iteration: this.#status[ITERATION], changed, inertia });
    return why;
  }

  async #assign(): Promise<void> {
    await this.#submit(this.device.assign());
    if (this.#status[HALT] === WHY.doubtful) await this.#decide();
  }

  async #update(): Promise<number> {
    await this.#submit(this.device.update(this.args.maxIterations));
    return this.#status[HALT] === WHY.empty ? this.#updateOnHost() : this.#status[HALT];
  }

  async #submit(dispatches: ReturnType<KMeansDevice['assign']>): Promise<void> {
    this.gpu.run(dispatches);
    await this.gpu.read([this.device.status, this.#status]);
  }

  /** The labels of the doubtful rows, in double; then the device may go on. */
  async #decide(): Promise<void> {
    await this.#readCentroids();
    const status = this.#status;
    for (const [i, chunk] of this.device.chunks.entries()) {
      const count = status[DOUBTFUL + i];
      status[DOUBTFUL + i] = 0;
      if (count > 0) status[CHANGED] += await this.#decideRows(chunk, count);
    }
    status[HALT] = 0;
    this.gpu.write(this.device.status, status);
  }

  /** Returns how many labels change. */
  async #decideRows(chunk: Chunk, count: number): Promise<number> {
    const { args, gpu } = this;
    const list = new Uint32Array(4 * count);
    await gpu.read([chunk.doubtful, list]);
    const centroids = { data: args.centroids, rows: args.k, cols: args.points.cols };
    const decided = new Uint32Array(2 * count);
    let changed = 0;
    const decide = function* () {
      for (let i = 0; i < count; i++) {
        const [row, ...labels] = list.subarray(4 * i, 4 * i + 4);
        const near = args.k > 1 ? labels.slice(0, 2) : [];
        const { label } = nearestExactly(args.points, chunk.first + row, centroids, 0, near);
        decided.set([row, label], 2 * i);
        if (label !== labels[2]) changed++;
        yield;
      }
    };
    await onHost(decide(), gpu);
    this.device.patch(chunk, decided);
    return changed;
  }

  /** An update in which some cluster is empty, as the reference makes it. */
  async #updateOnHost(): Promise<number> {
    const { args, device, gpu } = this;
    const status = this.#status;
    await this.#readCentroids();
    await this.#readLabels();
    const steps = update(args);
    let step = steps.next();
    while (!step.done) step = steps.next();
    this.#writeCentroids();
    device.clearCounts();
    status[ITERATION]++;
    let why: number = status[ITERATION] >= args.maxIterations ? WHY.most : 0;
    if (step.value <= args.tolerance) why = WHY.settled;
    if (status[CHANGED] === 0) why = WHY.strict;
    status[HALT] = why;
    status[CHANGED] = 0;
    gpu.write(device.status, status);
    return why;
  }

  #centroids(): Matrix {
    return { data: this.args.centroids, rows: this.args.k, cols: this.args.points.cols };
  }

  #writeCentroids(): void {
    const { k } = this.args;
    this.gpu.write(this.device.centroids, packRows(this.#centroids(), 0, k, this.device.plan.scale));
  }

  async #readCentroids(): Promise<void> {
    const { centroids, k, points } = this.args;
    const { cols } = points;
    const wide = padded(cols);
    const packed = new Float32Array(k * wide);
    await this.gpu.read([this.device.centroids, packed]);
    const { scale } = this.device.plan;
    for (let e = 0; e < centroids.length; e++) centroids[e] = packed[Math.floor(e / cols) * wide + (e % cols)] / scale;
  }

  async #readLabels(): Promise<void> {
    const { labels } = this.args;
    const wanted = this.device.chunks.map(({ first, count, labels: from }) => {
      return [from, labels.subarray(first, first + count) as Int32Array<ArrayBuffer>] as [
        typeof from,
        Int32Array<ArrayBuffer>,
      ];
    });
    await this.gpu.read(...wanted);
  }
}
