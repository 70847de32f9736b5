import { z } from 'zod';
import { parseOptions } from '../../options.js';
import { part } from '../../part.js';
import type { ModelSpec } from '../embedder.js';
import type { Layer } from '../layers.js';
import { type NormOf, publishedModel, publishedShape } from './published.js';

export const bnInceptionOptions = z.strictObject(publishedShape('bgr-255'));

/** Options of {@link bnInception}. */
export type BnInceptionOptions = z.input<typeof bnInceptionOptions>;

/** One row of table 1: filters of each branch. */
interface Module {
  name: string;
  /** Absent where the module halves its maps. */
  plain?: number;
  narrow3: number;
  wide3: number;
  narrowDouble: number;
  double: number;
  pool: 'average' | 'max';
  /** Of the 1x1 convolution after the pooling; absent where the module halves its maps. */
  projected?: number;
}

/** Ioffe and Szegedy, 2015, table of the appendix. */
const MODULES: readonly Module[] = [
  { name: '3a', plain: 64, narrow3: 64, wide3: 64, narrowDouble: 64, double: 96, pool: 'average', projected: 32 },
  { name: '3b', plain: 64, narrow3: 64, wide3: 96, narrowDouble: 64, double: 96, pool: 'average', projected: 64 },
  { name: '3c', narrow3: 128, wide3: 160, narrowDouble: 64, double: 96, pool: 'max' },
  { name: '4a', plain: 224, narrow3: 64, wide3: 96, narrowDouble: 96, double: 128, pool: 'average', projected: 128 },
  { name: '4b', plain: 192, narrow3: 96, wide3: 128, narrowDouble: 96, double: 128, pool: 'average', projected: 128 },
  { name: '4c', plain: 160, narrow3: 128, wide3: 160, narrowDouble: 128, double: 160, pool: 'average', projected: 128 },
  { name: '4d', plain: 96, narrow3: 128, wide3: 192, narrowDouble: 160, double: 192, pool: 'average', projected: 128 },
  { name: '4e', narrow3: 128, wide3: 192, narrowDouble: 192, double: 256, pool: 'max' },
  { name: '5a', plain: 352, narrow3: 192, wide3: 320, narrowDouble: 160, double: 224, pool: 'average', projected: 128 },
  { name: '5b', plain: 352, narrow3: 192, wide3: 320, narrowDouble: 192, double: 224, pool: 'max', projected: 128 },
];

/**
 * BN-Inception (Ioffe and Szegedy, 2015) as Caffe and Cadene's PyTorch port have it: 10.3 million weights, 1,024 features; pools
 * that round up, averages that count the border, biases before every normalisation. It takes images whose maps are even where
 * it halves them: sides of 64, 96, 99, 224, 227, 256, but not of 75 or 91.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit; of `build` ERR_PATH or ERR_DATA where its weights do not fit.
 *
 * @example
 * ```ts
 * import { bnInception } from 'eat-dml';
 *
 * const model = bnInception({ dimension: 64, pooling: 'gap+gmp', frozenBatchNorm: true }); // for `train`
 * const network = model.build([64, 64, 3], 1);
 * console.log(network.inputShape, network.embedding);
 * ```
 */
export function bnInception(options: BnInceptionOptions = {}): ModelSpec {
  return publishedModel({ kind: bnInceptionPart.name, trunk }, parseOptions(bnInceptionOptions, options));
}

export const bnInceptionPart = part(
  'bn-inception',
  'BN-Inception, as Caffe and Cadene build it',
  bnInceptionOptions,
  bnInception,
);

function trunk(norm: NormOf): Layer[] {
  const halved: Layer = { type: 'max-pool', size: 3, strides: 2, padding: 'ceil' };
  return [
    unit(norm, 'conv1_7x7_s2', 64, 7, 2),
    halved,
    unit(norm, 'conv2_3x3_reduce', 64, 1),
    unit(norm, 'conv2_3x3', 192, 3),
    halved,
    ...MODULES.map((module) => inception(module, norm)),
  ];
}

function inception({ name, plain, projected, pool, ...filters }: Module, norm: NormOf): Layer {
  const path = `inception_${name}_`;
  const strides = plain === undefined ? 2 : 1;
  const [first, last] = ['1x1', 'pool_proj'].map((end) => `${path}${end}`);
  const wide = [
    unit(norm, `${path}3x3_reduce`, filters.narrow3, 1),
    unit(norm, `${path}3x3`, filters.wide3, 3, strides),
  ];
  const double = [
    unit(norm, `${path}double_3x3_reduce`, filters.narrowDouble, 1),
    unit(norm, `${path}double_3x3_1`, filters.double, 3),
    unit(norm, `${path}double_3x3_2`, filters.double, 3, strides),
  ];
  const pooled = [poolOf(pool, strides), ...(projected === undefined ? [] : [unit(norm, last, projected, 1)])];
  const branches = [...(plain === undefined ? [] : [[unit(norm, first, plain, 1)]]), wide, double, pooled];
  return { type: 'concat', branches };
}

function poolOf(pool: Module['pool'], strides: number): Layer {
  if (pool === 'average') return { type: 'average-pool', size: 3 };
  return { type: 'max-pool', size: 3, strides, padding: strides === 2 ? 'ceil' : 1 };
}

/** A convolution with a bias, and all that follows each of them. */
function unit(norm: NormOf, name: string, filters: number, size: number, strides = 1): Layer {
  const settings = { filters, size, strides, padding: (size - 1) / 2, bias: true };
  return { type: 'conv', name, ...settings, norm: norm(`${name}_bn`), activation: 'relu' };
}
