import { z } from 'zod';
import { parseOptions } from '../../options.js';
import { part } from '../../part.js';
import type { ModelSpec } from '../embedder.js';
import type { Layer } from '../layers.js';
import { timmMobilenetV2 } from '../weights/timm.js';
import { type NormOf, publishedModel, publishedShape, unit } from './published.js';

export const mobilenetV2Options = z.strictObject(publishedShape('imagenet'));

/** Options of {@link mobilenetV2}. */
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
export const BLOCKS: readonly Blocks[] = [
  { expansion: 1, channels: 16, count: 1, strides: 1 },
  { expansion: 6, channels: 24, count: 2, strides: 2 },
  { expansion: 6, channels: 32, count: 3, strides: 2 },
  { expansion: 6, channels: 64, count: 4, strides: 2 },
  { expansion: 6, channels: 96, count: 3, strides: 1 },
  { expansion: 6, channels: 160, count: 3, strides: 2 },
  { expansion: 6, channels: 320, count: 1, strides: 1 },
];

/**
 * MobileNetV2 (Sandler et al., 2018): 2.2 million weights, 1,280 features. Padding and names are torchvision's.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit; of `build` ERR_PATH or ERR_DATA where its weights do not fit.
 */
export function mobilenetV2(options: MobilenetV2Options = {}): ModelSpec {
  const trunk = (norm: NormOf) => mobilenetV2Trunk(32, BLOCKS, 1280, norm);
  const network = { kind: mobilenetV2Part.name, trunk, renaming: timmMobilenetV2(BLOCKS) };
  return publishedModel(network, parseOptions(mobilenetV2Options, options));
}

export const mobilenetV2Part = part(
  'mobilenet-v2',
  'MobileNetV2, as torchvision builds it',
  mobilenetV2Options,
  mobilenetV2,
);

/** Such blocks after a stem of stride 2, then a 1x1 convolution to `last` channels. */
export function mobilenetV2Trunk(stem: number, blocks: readonly Blocks[], last: number, norm: NormOf): Layer[] {
  const rows = blocks.flatMap(({ count, strides, ...block }) =>
    Array.from({ length: count }, (_, i) => ({ ...block, strides: i === 0 ? strides : 1 })),
  );
  const ends = (i: number) => ({ name: `features.${i}.0`, norm: norm(`features.${i}.1`) });
  const inner = rows.map((row, i) =>
    inverted(`features.${i + 1}.conv`, i === 0 ? stem : rows[i - 1].channels, row, norm),
  );
  return [unit(ends(0), stem, 3, 2, 'relu6'), ...inner.flat(), unit(ends(rows.length + 1), last, 1, 1, 'relu6')];
}

/** Widened, filtered channel by channel, narrowed; added to what came in where the shapes agree. */
function inverted(
  path: string,
  before: number,
  { expansion, channels, strides }: Omit<Blocks, 'count'>,
  norm: NormOf,
): Layer[] {
  const names = (name: string, normName: string) => ({ name: `${path}.${name}`, norm: norm(`${path}.${normName}`) });
  const widen = expansion > 1 ? [unit(names('0.0', '0.1'), expansion * before, 1, 1, 'relu6')] : [];
  const i = widen.length;
  const filter: Layer = {
    ...{ type: 'depthwise', ...names(`${i}.0`, `${i}.1`) },
    ...{ size: 3, strides, padding: 1, activation: 'relu6' },
  };
  const narrow = unit(names(`${i + 1}`, `${i + 2}`), channels, 1, 1, 'none');
  const main = [...widen, filter, narrow];
  return strides === 1 && before === channels ? [{ type: 'sum', branches: [[], main], activation: 'none' }] : main;
}
