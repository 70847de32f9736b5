import type { Matrix } from '../../../src/kernels/index.js';
import type { Draw } from '../draw.js';

/** Valid arguments of one function, in order; its options are the last. */
export type Arguments = (draw: Draw) => unknown[];

const METRICS = ['sqeuclidean', 'euclidean', 'cosine', 'dot'] as const;
const NORMS = ['linf', 'l2', 'l1'] as const;

/** Mostly a few, at times more than the lanes and tiles of an instruction set. */
export const some = (draw: Draw) => draw.between(1, draw.chance(0.1) ? 40 : 9);

const batchOf = (draw: Draw) => draw.maybe(0.3, () => ({ batch: draw.between(1, 3) }));

function matrix(draw: Draw, rows: number, cols: number, { batch }: { batch?: number }): Matrix {
  return { data: draw.floats(rows * cols * (batch ?? 1)), rows, cols, ...(batch !== undefined && { batch }) };
}

/** What every kernel takes. */
export const common = (draw: Draw) => draw.maybe(0.2, () => ({ checkFinite: draw.chance(0.5) }));

const pairwiseDistance: Arguments = (draw) => {
  const [n, m, d, batch] = [some(draw), some(draw), some(draw), batchOf(draw)];
  const out = () => ({ out: new Float32Array(n * m * (batch.batch ?? 1)) });
  const options = { ...draw.maybe(0.7, () => ({ metric: draw.pick(METRICS) })), ...draw.maybe(0.5, out) };
  return [matrix(draw, n, d, batch), matrix(draw, m, d, batch), { ...common(draw), ...options }];
};

const nearestCentroid: Arguments = (draw) => {
  const [d, batch] = [some(draw), batchOf(draw)];
  return [matrix(draw, some(draw), d, batch), matrix(draw, some(draw), d, batch), common(draw)];
};

const nearestNeighbors: Arguments = (draw) => {
  const [n, d, batch, excludeSelf] = [some(draw) + 1, some(draw), batchOf(draw), draw.chance(0.3)];
  const queries = matrix(draw, excludeSelf ? n : some(draw), d, batch);
  const options = { k: draw.between(1, n - 1), excludeSelf, metric: draw.pick(METRICS) };
  return [queries, matrix(draw, n, d, batch), { ...common(draw), ...options }];
};

const centroidMeans: Arguments = (draw) => {
  const [n, batch, k] = [some(draw), batchOf(draw), some(draw)];
  const rows = n * (batch.batch ?? 1);
  const weights = () => ({ weights: draw.floats(rows).map(Math.abs) });
  const options = { ...common(draw), k, ...draw.maybe(0.5, weights) };
  return [matrix(draw, n, some(draw), batch), draw.integers(rows, k), options];
};

const kmeans: Arguments = (draw) => {
  const [n, d, batch] = [some(draw), some(draw), batchOf(draw)];
  const k = draw.between(1, n);
  const inits = [() => 'random', () => 'k-means++', () => matrix(draw, k, d, batch)];
  const init = draw.pick(inits)();
  const options = {
    ...common(draw),
    k,
    ...draw.maybe(0.8, () => ({ init })),
    ...draw.maybe(0.5, () => ({ maxIterations: draw.between(1, 20) })),
    ...draw.maybe(0.3, () => ({ tolerance: draw.uniform() * 1e-2 })),
    ...draw.maybe(0.3, () => ({ restarts: typeof init === 'string' ? draw.between(1, 4) : 1 })),
    ...draw.maybe(0.3, () => ({ pruning: draw.chance(0.5) })),
    seed: draw.integer(1000),
    ...draw.maybe(0.6, () => ({ onIteration: () => {} })),
  };
  return [matrix(draw, n, d, batch), options];
};

/** Points of the box [0, 1]. */
function inBox(draw: Draw, like: Matrix): Matrix {
  return { ...like, data: like.data.map(() => draw.uniform()) };
}

const projectPerturbation: Arguments = (draw) => {
  const delta = matrix(draw, some(draw), some(draw), batchOf(draw));
  const out = () => ({ out: new Float32Array(delta.data.length) });
  const around = () => ({ around: inBox(draw, delta), ...draw.maybe(0.5, () => ({ box: [0, 1] })) });
  const options = { norm: draw.pick(NORMS), epsilon: draw.uniform() };
  return [delta, { ...common(draw), ...options, ...draw.maybe(0.5, around), ...draw.maybe(0.5, out) }];
};

const attackStep: Arguments = (draw) => {
  const like = matrix(draw, some(draw), some(draw), batchOf(draw));
  const [origin, current, gradient] = [inBox(draw, like), inBox(draw, like), like];
  const out = () => ({ out: draw.chance(0.5) ? current.data : new Float32Array(like.data.length) });
  const options = {
    ...{ origin, current, gradient, norm: draw.pick(NORMS), epsilon: draw.uniform(), stepSize: draw.uniform() },
    ...draw.maybe(0.5, () => ({ box: [0, 1] })),
    ...draw.maybe(0.5, out),
  };
  return [{ ...common(draw), ...options }];
};

const uploadMatrix: Arguments = (draw) => [matrix(draw, some(draw), some(draw), batchOf(draw)), common(draw)];

export const matrices = {
  ...{ pairwiseDistance, nearestCentroid, nearestNeighbors, centroidMeans, kmeans },
  ...{ projectPerturbation, attackStep, uploadMatrix },
};
