import { z } from 'zod';
import { invalid } from '../../errors.js';
import { count, path } from '../../options.js';
import type { ModelSpec } from '../embedder.js';
import { HEADS } from '../head.js';
import type { Activation, Convolution, Layer, Norm } from '../layers.js';
import { networkModel } from '../network.js';
import { BATCH_NORM, batchNorm } from '../norm-sets.js';
import { PREPROCESSING, type Preprocessing, preprocessingLayers } from '../preprocessing.js';
import { HEAD, type Renaming } from '../weights/names.js';

/** What every published network can be asked for; `preprocessing` is that of its weights. */
export function publishedShape(preprocessing: Preprocessing) {
  return {
    dimension: count.default(512).describe('columns of the linear head'),
    head: z
      .enum(['linear', 'none'])
      .default('linear')
      .describe('linear: a dense layer to dimension columns; none: the pooled features as they are'),
    pooling: z
      .enum(['gap', 'gap+gmp'])
      .default('gap')
      .describe('of the last maps: their mean, or mean and maximum added'),
    unitNorm: z
      .boolean()
      .optional()
      .describe('scale embeddings to unit length, as training and evaluation need them (default: with a linear head)'),
    weights: path
      .optional()
      .describe('file to start from, .safetensors or .npz, by the names of the published weights'),
    frozenBatchNorm: z
      .boolean()
      .default(false)
      .describe('normalise by the running statistics in training too, and learn no scale and offset'),
    batchNorm: batchNorm.optional().describe(BATCH_NORM),
    heads: count.optional().describe(HEADS),
    preprocessing: z
      .enum(PREPROCESSING)
      .default(preprocessing)
      .describe('what the network makes of pixels in [0, 1] first: what its weights were trained on'),
  };
}

export type PublishedOptions = z.output<z.ZodObject<ReturnType<typeof publishedShape>>>;

/** The normalisation of that name. */
export type NormOf = (name: string) => Norm;

/** What the networks differ in. */
interface Published {
  kind: string;
  /** The layers up to the pooling; every normalisation by `norm`. */
  trunk(norm: NormOf): Layer[];
  /** Of weights that are published under other names, too. */
  renaming?: Renaming;
}

/** A published network with its options: preprocessing, trunk, pooling, head. */
export function publishedModel({ kind, trunk, renaming }: Published, options: PublishedOptions): ModelSpec {
  const { weights, unitNorm = options.head === 'linear', batchNorm, heads, ...config } = options;
  if (heads !== undefined && options.head === 'none')
    throw invalid('heads', 'none of a network without a linear head', heads);
  const layers = [...preprocessingLayers(options.preprocessing), ...trunk(normOf(options)), ...endOf(options)];
  return networkModel(kind, { ...config, unitNorm }, layers, { unitNorm, weights, renaming, batchNorm, heads });
}

/** PyTorch's momentum of 0.1 and its epsilon, which is every one of these networks'. */
function normOf({ frozenBatchNorm: frozen }: PublishedOptions): NormOf {
  return (name) => ({ name, momentum: 0.9, epsilon: 1e-5, unbiased: true, ...(frozen && { frozen }) });
}

/** The last layers, in place of the classifier. */
function endOf({ pooling, head, dimension, heads = 1 }: PublishedOptions): Layer[] {
  const pool: Layer =
    pooling === 'gap'
      ? { type: 'mean-pool' }
      : { type: 'sum', branches: [[{ type: 'mean-pool' }], [{ type: 'peak-pool' }]], activation: 'none' };
  return head === 'none' ? [pool] : [pool, { type: 'dense', name: HEAD, units: dimension * heads }];
}

/** A convolution with PyTorch's padding that keeps the size at strides of 1, and its normalisation. */
export function unit(
  names: { name: string; norm: Norm },
  filters: number,
  size: number,
  strides: number,
  activation: Activation,
): Convolution {
  return { type: 'conv', ...names, filters, size, strides, padding: (size - 1) / 2, activation };
}
