import { z } from 'zod';
import { checkImageShape } from '../../checks.js';
import { invalid } from '../../errors.js';
import { count, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import type { ImageShape, ModelSpec } from '../embedder.js';
import { HEADS } from '../head.js';
import type { Layer } from '../layers.js';
import { networkModel } from '../network.js';

/** Height and width of its images. */
const SIDE = 28;

export const c2f2Options = z.strictObject({
  dimension: count.default(512).describe('columns of the embedding'),
  heads: count.optional().describe(HEADS),
});

/** Options of {@link c2f2}. */
export type C2f2Options = z.input<typeof c2f2Options>;

/**
 * The network that RobRank measures MNIST and Fashion-MNIST by (Zhou et al., 2020, after Madry et al., 2018): two 5x5 convolutions with 32 and
 * 64 filters, each with ReLU and 2x2 max pooling, dense layers of 1,024 with ReLU and of `dimension`, and scaling to unit length. There is no
 * batch normalisation. For images of 28 x 28.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit; of `build` and `restore` for images of another size.
 */
export function c2f2(options: C2f2Options = {}): ModelSpec {
  const { dimension, heads = 1 } = parseOptions(c2f2Options, options);
  return sized(networkModel(c2f2Part.name, { dimension }, layers(dimension * heads), { heads }));
}

export const c2f2Part = part(
  'c2f2',
  'RobRank’s network for MNIST and Fashion-MNIST: two convolutions, two dense layers, no batch normalisation',
  c2f2Options,
  c2f2,
);

function layers(units: number): Layer[] {
  const pool = { type: 'max-pool', size: 2, strides: 2, padding: 'valid' } as const;
  const conv = { type: 'conv', strides: 1, bias: true, activation: 'relu' } as const;
  return [
    { ...conv, name: 'conv1', filters: 32, size: 5, padding: 2 },
    pool,
    { ...conv, name: 'conv2', filters: 64, size: 5, padding: 2 },
    pool,
    { type: 'flatten' },
    { ...conv, name: 'fc1', filters: 1024, size: 1, padding: 'valid' },
    { type: 'mean-pool' },
    { type: 'dense', name: 'fc2', units },
  ];
}

/** The same for images of its size alone; there are no batch normalisations to have two sets of. */
function sized({ split: _, ...spec }: ModelSpec): ModelSpec {
  return {
    ...spec,
    build: (shape, seed) => spec.build(checked(shape), seed),
    restore: (shape, weights) => spec.restore!(checked(shape), weights),
    weightShapes: (shape) => spec.weightShapes!(checked(shape)),
    withHeads: (heads) => sized(spec.withHeads!(heads)),
  };
}

function checked(shape: ImageShape): ImageShape {
  checkImageShape('inputShape', shape);
  const [height, width] = shape;
  if (height === SIDE && width === SIDE) return shape;
  throw invalid('inputShape', `${SIDE} x ${SIDE}, which c2f2 is made for,`, `${height} x ${width}`);
}
