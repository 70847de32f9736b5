import * as tf from '#tf';
import { invalid } from '../../errors.js';
import { type Metric, nearestCentroidSync, pairwiseDistanceSync } from '../../kernels/index.js';
import { checkOneOf, checkOptions, METRICS } from '../../kernels/matrix.js';
import { customOpPath, customOpsBackend, runCustomOp } from '../custom-ops.js';
import { checkMatrixTensor, matrixOf, memoryPath, result } from '../memory.js';
import { readsAtOnce } from '../reading/readings.js';
import { counted } from '../tensor-kernel-calls.js';
import { distancesByOperations, nearestByOperations, type UnitRows, unit } from './distances-by-operations.js';
import { weightedDifferences } from './weighted-differences.js';

/**
 * `pairwiseDistance` of the kernels on tensors: a [n, d] and b [m, d] give [n, m], [batch, n, d] and [batch, m, d] give
 * [batch, n, m]. Differentiable in both: sqeuclidean dA_i = 2 Σ_j G_ij (a_i - b_j); euclidean Σ_j G_ij (a_i - b_j) / D_ij, a
 * term 0 where D is 0; dot dA = G B; cosine through x/|x|, 0 for a zero row. To five digits also where points lie near each
 * other and far from 0.
 */
export function pairwiseDistanceTensor<T extends tf.Tensor2D | tf.Tensor3D>(
  a: T,
  b: T,
  options: { metric?: Metric } = {},
): T {
  checkOptions(options, ['metric']);
  const { metric = 'sqeuclidean' } = options;
  checkOneOf('metric', metric, METRICS);
  checkMatrixTensor('a', a);
  checkMatrixTensor('b', b);
  const fits = a.rank === b.rank && a.shape.at(-1) === b.shape.at(-1) && (a.rank === 2 || a.shape[0] === b.shape[0]);
  if (!fits) throw invalid('b', `the batch and columns of a [${a.shape}]`, `[${b.shape}]`);
  const distances = tf.customGrad((...args) => {
    const [x, y, save] = args as unknown as [T, T, tf.GradSaveFunc];
    const value = distancesOf(x, y, metric);
    save([x, y, value]);
    const gradFunc = (g: tf.Tensor, saved: tf.Tensor[]) => gradients(metric, g, saved[0], saved[1], saved[2]);
    return { value, gradFunc };
  });
  return distances(a, b) as T;
}

function distancesOf(a: tf.Tensor, b: tf.Tensor, metric: Metric): tf.Tensor {
  const backend = customOpsBackend();
  if (backend) {
    const run = () => runCustomOp(backend, 'EatDmlPairwiseDistance', { a, b }, [METRICS.indexOf(metric)])[0];
    return counted('pairwiseDistance', customOpPath(), 0, run);
  }
  if (!readsAtOnce()) return counted('pairwiseDistance', 'operations', 0, () => distancesByOperations(a, b, metric));
  const shape = [...a.shape.slice(0, -1), b.shape.at(-2)!];
  const path = memoryPath();
  const values = a.size + b.size + tf.util.sizeFromShape(shape);
  return counted('pairwiseDistance', path, path === 'copies' ? 4 * values : 0, () => {
    const { out, tensor } = result(shape);
    pairwiseDistanceSync(matrixOf('a', a), matrixOf('b', b), { metric, out });
    return tensor();
  });
}

/** Of Σ G·D by both arguments. */
function gradients(metric: Metric, g: tf.Tensor, a: tf.Tensor, b: tf.Tensor, distances: tf.Tensor): tf.Tensor[] {
  if (metric === 'dot') return [tf.matMul(g, b), tf.matMul(g, a, true, false)];
  if (metric === 'sqeuclidean') return pulls(tf.mul(2, g), a, b, tf.sqrt(distances));
  if (metric === 'euclidean') {
    const apart = tf.greater(distances, 0);
    const scaled = tf.div(g, tf.where(apart, distances, tf.onesLike(distances)));
    return pulls(tf.where(apart, scaled, tf.zerosLike(g)), a, b, distances);
  }
  return cosineGradients(g, a, b);
}

/** Σ_j w_ij (a_i - b_j) and Σ_i w_ij (b_j - a_i). */
function pulls(w: tf.Tensor, a: tf.Tensor, b: tf.Tensor, distances: tf.Tensor): tf.Tensor[] {
  return [weightedDifferences(w, a, b, distances), weightedDifferences(turned(w), b, a, turned(distances))];
}

function turned(t: tf.Tensor): tf.Tensor {
  return tf.transpose(t, t.rank === 2 ? [1, 0] : [0, 2, 1]);
}

/**
 * With x = a/|a| the gradient by a is that of -Σ G x·y: what is left of -Σ_j G_ij b_j/|b_j| when its part along x is taken
 * off, over |a|. a itself lies along x, so a - b has the same rest as -b, and no large terms.
 */
function cosineGradients(g: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor[] {
  const [x, y] = [unit(a), unit(b)];
  const apart = tf.tidy(() => distancesOf(a, b, 'euclidean'));
  const ofA = weightedDifferences(tf.mul(g, turned(y.inverse)), a, b, apart);
  const ofB = weightedDifferences(tf.mul(turned(g), turned(x.inverse)), b, a, turned(apart));
  return [across(x, ofA), across(y, ofB)];
}

/** (v - (v·u) u) / |x|, u = x/|x|. */
function across({ rows, inverse }: UnitRows, v: tf.Tensor): tf.Tensor {
  return tf.mul(inverse, tf.sub(v, tf.mul(rows, tf.sum(tf.mul(v, rows), -1, true))));
}

/** Of each row its nearest centroid, as tensors. */
export interface NearestCentroidTensors {
  /** [n] int32, index of the nearest centroid of each row; the lowest at a tie. */
  labels: tf.Tensor1D;
  /** [n], squared distance to it; differentiable in points and centroids, the labels held fixed. */
  distances: tf.Tensor1D;
  /** [n], squared distance to the second nearest; Infinity where there is one centroid. Not differentiable. */
  secondDistances: tf.Tensor1D;
}

/** `nearestCentroid` of the kernels on tensors: points [n, d], centroids [k, d]. d|x - c|² = 2 (x - c) (dx - dc). */
export function nearestCentroidTensor(points: tf.Tensor2D, centroids: tf.Tensor2D): NearestCentroidTensors {
  checkMatrixTensor('points', points);
  checkMatrixTensor('centroids', centroids);
  if (points.rank !== 2) throw invalid('points', 'a tensor [n, d]', `[${points.shape}]`);
  const fits = centroids.rank === 2 && centroids.shape[1] === points.shape[1];
  if (!fits) throw invalid('centroids', `a tensor [k, ${points.shape[1]}]`, `[${centroids.shape}]`);
  const [labels, nearest, second] = nearestOf(points, centroids);
  const distances = tf.customGrad((...args) => {
    const [x, c, save] = args as unknown as [tf.Tensor2D, tf.Tensor2D, tf.GradSaveFunc];
    save([x, c, labels]);
    const gradFunc = (g: tf.Tensor, [x, c, labels]: tf.Tensor[]) => {
      const pull = tf.mul(tf.expandDims(tf.mul(2, g), 1), tf.sub(x, tf.gather(c, labels as tf.Tensor1D)));
      return [pull, tf.neg(sumsByLabel(pull, labels as tf.Tensor1D, c.shape[0]))];
    };
    return { value: tf.clone(nearest), gradFunc };
  })(points, centroids) as tf.Tensor1D;
  nearest.dispose();
  return { labels: labels as tf.Tensor1D, distances, secondDistances: second as tf.Tensor1D };
}

/** [k, d]: the rows of each label added up. As a product where the backend has no sum of its own, or one in no certain order. */
function sumsByLabel(rows: tf.Tensor, labels: tf.Tensor1D, k: number): tf.Tensor {
  if (readsAtOnce()) return tf.unsortedSegmentSum(rows, labels, k);
  const members = tf.cast(tf.equal(tf.expandDims(tf.range(0, k, 1, 'int32'), 1), tf.expandDims(labels, 0)), 'float32');
  return tf.matMul(members, rows);
}

/** labels, distances, second distances. */
function nearestOf(points: tf.Tensor2D, centroids: tf.Tensor2D): tf.Tensor[] {
  const backend = customOpsBackend();
  if (backend) {
    const run = () => runCustomOp(backend, 'EatDmlNearestCentroid', { points, centroids }, [], 3);
    return counted('nearestCentroid', customOpPath(), 0, run);
  }
  if (!readsAtOnce()) return counted('nearestCentroid', 'operations', 0, () => nearestByOperations(points, centroids));
  const path = memoryPath();
  const values = points.size + centroids.size + 3 * points.shape[0];
  return counted('nearestCentroid', path, path === 'copies' ? 4 * values : 0, () => {
    const found = nearestCentroidSync(matrixOf('points', points), matrixOf('centroids', centroids));
    const { labels, distances, secondDistances } = found;
    return [tf.tensor1d(labels, 'int32'), tf.tensor1d(distances), tf.tensor1d(secondDistances)];
  });
}
