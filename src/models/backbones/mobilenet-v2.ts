import { z } from 'zod';
import { parseOptions } from '../../options.js';
import { part } from '../../part.js';
import type { ModelSpec } from '../embedder.js';
import type { Activation, Layer, Norm } from '../layers.js';
import { networkModel } from '../network.js';
import { dimensionOf, dimensionShape } from './dimension.js';

export const mobilenetV2Options = z.strictObject({
  ...dimensionShape(512),
});

export type MobilenetV2Options = z.input<typeof mobilenetV2Options>;

/** Inverted residual blocks that are alike: `count` of them, the first with `strides`. */
export interface Blocks {
  /** How many times as many channels each has inside. */
  expansion: number;
  channels: number;
  count: number;
  strides: number;
}

/** Sandler et al., 2018, table 2. */
const BLOCKS: Blocks[] = [
  { expansion: 1, channels: 16, count: 1, strides: 1 },
  { expansion: 6, channels: 24, count: 2, strides: 2 },
  { expansion: 6, channels: 32, count: 3, strides: 2 },
  { expansion: 6, channels: 64, count: 4, strides: 2 },
  { expansion: 6, channels: 96, count: 3, strides: 1 },
  { expansion: 6, channels: 160, count: 3, strides: 2 },
  { expansion: 6, channels: 320, count: 1, strides: 1 },
];

/**
 * MobileNetV2 (Sandler et al., 2018); global average pooling, a dense layer and scaling to unit length in place of the
 * classifier. Padding and names are torchvision's.
 */
export function mobilenetV2(options: MobilenetV2Options = {}): ModelSpec {
  const dimension = dimensionOf(mobilenetV2Options, parseOptions(mobilenetV2Options, options));
  return networkModel(mobilenetV2Part.name, { dimension }, mobilenetV2Layers(32, BLOCKS, 1280, dimension));
}

export const mobilenetV2Part = part(
  'mobilenet-v2',
  'MobileNetV2, as torchvision builds it',
  mobilenetV2Options,
  mobilenetV2,
);

/** A network of such blocks: a stem of stride 2, the blocks, a 1x1 convolution to `last` channels. */
export function mobilenetV2Layers(stem: number, blocks: readonly Blocks[], last: number, dimension: number): Layer[] {
  const rows = blocks.flatMap(({ count, strides, ...block }) =>
    Array.from({ length: count }, (_, i) => ({ ...block, strides: i === 0 ? strides : 1 })),
  );
  const name = (i: number) => `features.${i}`;
  const inner = rows.map((row, i) => inverted(`${name(i + 1)}.conv`, i === 0 ? stem : rows[i - 1].channels, row));
  return [
    convolution(`${name(0)}.0`, `${name(0)}.1`, stem, 3, 2, 'relu6'),
    ...inner.flat(),
    convolution(`${name(rows.length + 1)}.0`, `${name(rows.length + 1)}.1`, last, 1, 1, 'relu6'),
    { type: 'mean-pool' },
    { type: 'dense', name: 'embedding', units: dimension },
  ];
}

/** Widened, filtered channel by channel, narrowed; added to what came in where the shapes agree. */
function inverted(path: string, before: number, { expansion, channels, strides }: Omit<Blocks, 'count'>): Layer[] {
  const wide = expansion * before;
  const widen = expansion > 1 ? [convolution(`${path}.0.0`, `${path}.0.1`, wide, 1, 1, 'relu6')] : [];
  const i = widen.length;
  const filter: Layer = {
    ...{ type: 'depthwise', name: `${path}.${i}.0`, size: 3, strides, padding: 1 },
    ...{ norm: norm(`${path}.${i}.1`), activation: 'relu6' },
  };
  const narrow = convolution(`${path}.${i + 1}`, `${path}.${i + 2}`, channels, 1, 1, 'none');
  const main = [...widen, filter, narrow];
  return strides === 1 && before === channels ? [{ type: 'sum', branches: [[], main], activation: 'none' }] : main;
}

function convolution(
  name: string,
  normName: string,
  filters: number,
  size: number,
  strides: number,
  activation: Activation,
): Layer {
  const padding = (size - 1) / 2;
  return { type: 'conv', name, filters, size, strides, padding, norm: norm(normName), activation };
}

function norm(name: string): Norm {
  return { name, momentum: 0.9, epsilon: 1e-5 };
}
