import { z } from 'zod';
import { parseOptions } from '../../options.js';
import { part } from '../../part.js';
import type { ModelSpec } from '../embedder.js';
import type { Layer } from '../layers.js';
import { type NormOf, publishedModel, publishedShape, unit } from './published.js';

export const resnetOptions = z.strictObject(publishedShape('imagenet'));

/** Options of {@link resnet18} and {@link resnet50}. */
export type ResnetOptions = z.input<typeof resnetOptions>;

/** He et al., 2016, table 1: blocks of each of the four stages, and whether they are bottlenecks. */
interface Variant {
  kind: string;
  blocks: readonly number[];
  bottleneck: boolean;
}

const RESNET18 = { kind: 'resnet18', blocks: [2, 2, 2, 2], bottleneck: false } as const;
const RESNET50 = { kind: 'resnet50', blocks: [3, 4, 6, 3], bottleneck: true } as const;

/**
 * ResNet-18 (He et al., 2016): 11.2 million weights, 512 features. Padding and names are torchvision's.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit; of `build` ERR_PATH or ERR_DATA where its weights do not fit.
 *
 * @example
 * ```ts
 * import { Ensemble, exportWeights, resnet18 } from 'eat-dml';
 *
 * const drawn = resnet18({ dimension: 64 }).build([32, 32, 3], 1);
 * const [file] = await exportWeights(new Ensemble([drawn]), 'resnet18'); // torchvision's names; or a file from PyTorch
 * const loaded = resnet18({ dimension: 64, weights: file }).build([32, 32, 3], 2);
 * console.log(loaded.embedding);
 * ```
 */
export function resnet18(options: ResnetOptions = {}): ModelSpec {
  return resnet(RESNET18, options);
}

/**
 * ResNet-50 (He et al., 2016), the stride of a bottleneck in its 3x3 convolution (v1.5): 23.5 million weights, 2,048 features.
 * Padding and names are torchvision's.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit; of `build` ERR_PATH or ERR_DATA where its weights do not fit.
 */
export function resnet50(options: ResnetOptions = {}): ModelSpec {
  return resnet(RESNET50, options);
}

export const resnet18Part = part('resnet18', 'ResNet-18, as torchvision builds it', resnetOptions, resnet18);
export const resnet50Part = part('resnet50', 'ResNet-50 (v1.5), as torchvision builds it', resnetOptions, resnet50);

function resnet(variant: Variant, options: ResnetOptions): ModelSpec {
  const trunk = (norm: NormOf) => trunkOf(variant, norm);
  return publishedModel({ kind: variant.kind, trunk }, parseOptions(resnetOptions, options));
}

function trunkOf({ blocks, bottleneck }: Variant, norm: NormOf): Layer[] {
  const expansion = bottleneck ? 4 : 1;
  let before = 64;
  const stages = blocks.flatMap((count, stage) =>
    Array.from({ length: count }, (_, i) => {
      const [width, strides] = [64 * 2 ** stage, stage > 0 && i === 0 ? 2 : 1];
      const path = `layer${stage + 1}.${i}`;
      const block = { path, width, strides, norm };
      const main = bottleneck ? narrowed(block) : basic(block);
      const widened = strides > 1 || before !== width * expansion;
      before = width * expansion;
      return residual(main, widened ? [shortcut(block, before)] : []);
    }),
  );
  const stem = unit({ name: 'conv1', norm: norm('bn1') }, 64, 7, 2, 'relu');
  return [stem, { type: 'max-pool', size: 3, strides: 2, padding: 1 }, ...stages];
}

interface Block {
  path: string;
  width: number;
  strides: number;
  norm: NormOf;
}

/** Names of the i-th convolution of a block, and of its normalisation. */
const names = ({ path, norm }: Block, i: number) => ({ name: `${path}.conv${i}`, norm: norm(`${path}.bn${i}`) });

function basic(block: Block): Layer[] {
  const { width, strides } = block;
  return [unit(names(block, 1), width, 3, strides, 'relu'), unit(names(block, 2), width, 3, 1, 'none')];
}

function narrowed(block: Block): Layer[] {
  const { width, strides } = block;
  return [
    unit(names(block, 1), width, 1, 1, 'relu'),
    unit(names(block, 2), width, 3, strides, 'relu'),
    unit(names(block, 3), 4 * width, 1, 1, 'none'),
  ];
}

/** Where a block changes the shape: what makes its input fit. */
function shortcut({ path, strides, norm }: Block, filters: number): Layer {
  const own = { name: `${path}.downsample.0`, norm: norm(`${path}.downsample.1`) };
  return unit(own, filters, 1, strides, 'none');
}

function residual(main: Layer[], other: Layer[]): Layer {
  return { type: 'sum', branches: [main, other], activation: 'relu' };
}
