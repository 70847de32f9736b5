import { z } from 'zod';
import { invalid } from '../../errors.js';
import { count, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import type { ModelSpec } from '../embedder.js';
import { HEADS } from '../head.js';
import type { Layer } from '../layers.js';
import { networkModel } from '../network.js';
import { BATCH_NORM, batchNorm } from '../norm-sets.js';

const COLUMNS = 64;

export const convEmbedderOptions = z.strictObject({
  dimension: count.default(COLUMNS).describe('columns of the embedding'),
  embedding: count.optional().describe('the same, by the name that it had before'),
  width: count.default(32).describe('filters of the first block; the second and third have 2 and 4 times as many'),
  batchNorm: batchNorm.optional().describe(BATCH_NORM),
  heads: count.optional().describe(HEADS),
});

/** Options of {@link convEmbedder}. */
export type ConvEmbedderOptions = z.input<typeof convEmbedderOptions>;

/**
 * A small convolutional embedder for images of any size: three blocks of 3x3 convolution (no bias), batch
 * normalisation and ReLU with `width`, 2 `width` (stride 2) and 4 `width` (stride 2) filters, global average
 * pooling, a dense layer, and scaling to unit length.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 *
 * @example
 * ```ts
 * import { convEmbedder, Ensemble } from 'eat-dml';
 *
 * const network = convEmbedder({ dimension: 32, width: 8 }).build([32, 32, 3], 1); // image shape, seed
 * const { rows, cols } = await new Ensemble([network]).embed({ images: new Uint8Array(4 * 32 * 32 * 3), shape: [32, 32, 3] });
 * console.log(rows, cols); // 4 32
 * ```
 */
export function convEmbedder(options: ConvEmbedderOptions = {}): ModelSpec {
  const given = parseOptions(convEmbedderOptions, options);
  const [dimension, { width }] = [columnsOf(given), given];
  const layers = [
    block(1, width, 1),
    block(2, 2 * width, 2),
    block(3, 4 * width, 2),
    { type: 'mean-pool' } as const,
    { type: 'dense', name: 'embedding', units: dimension * (given.heads ?? 1) } as const,
  ];
  const { batchNorm, heads } = given;
  return networkModel(convPart.name, { dimension, width }, layers, { batchNorm, heads });
}

export const convPart = part(
  'conv',
  'three blocks of convolution, batch normalisation and ReLU, for small images',
  convEmbedderOptions,
  convEmbedder,
);

/** Under either name. */
function columnsOf({ dimension, embedding = dimension }: z.output<typeof convEmbedderOptions>): number {
  if (embedding === dimension || dimension === COLUMNS) return embedding;
  throw invalid('embedding', `the ${dimension} of dimension, whose former name it is,`, embedding);
}

function block(i: number, filters: number, strides: number): Layer {
  const norm = { name: `norm${i}`, momentum: 0.9, epsilon: 1e-5 };
  return { type: 'conv', name: `conv${i}`, filters, size: 3, strides, padding: 'same', norm, activation: 'relu' };
}
