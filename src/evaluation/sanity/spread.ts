import type { Matrix } from '../../kernels/index.js';
import { checkMatrix } from '../../kernels/matrix.js';

export interface Spread {
  /** Of two embeddings drawn at random. */
  meanSquaredDistance: number;
  /** Participation ratio of the covariance's eigenvalues, (Σ l)² / Σ l²: 1 on a line, d where all directions weigh alike. */
  effectiveRank: number;
}

/** How far embeddings [n, d] have not collapsed into one point or one direction. */
export function spreadOf(embeddings: Matrix): Spread {
  checkMatrix('embeddings', embeddings);
  const { data, rows, cols } = embeddings;
  const mean = new Float64Array(cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) mean[j] += data[i * cols + j] / rows;
  const covariance = new Float64Array(cols * cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      const x = (data[i * cols + j] - mean[j]) / rows;
      for (let l = 0; l <= j; l++) covariance[j * cols + l] += x * (data[i * cols + l] - mean[l]);
    }
  }
  let [trace, squares] = [0, 0];
  for (let j = 0; j < cols; j++) {
    trace += covariance[j * cols + j];
    for (let l = 0; l <= j; l++) squares += (l === j ? 1 : 2) * covariance[j * cols + l] ** 2;
  }
  return { meanSquaredDistance: 2 * trace, effectiveRank: squares > 0 ? trace ** 2 / squares : 0 };
}
