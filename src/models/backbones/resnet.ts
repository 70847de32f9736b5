import { z } from 'zod';
import { parseOptions } from '../../options.js';
import { part } from '../../part.js';
import type { ModelSpec } from '../embedder.js';
import type { Activation, Convolution, Layer } from '../layers.js';
import { networkModel } from '../network.js';
import { dimensionOf, dimensionShape } from './dimension.js';

/** Blocks of each of the four stages, and whether they are bottlenecks. */
const DEPTHS: Record<number, { blocks: number[]; bottleneck: boolean }> = {
  18: { blocks: [2, 2, 2, 2], bottleneck: false },
  34: { blocks: [3, 4, 6, 3], bottleneck: false },
  50: { blocks: [3, 4, 6, 3], bottleneck: true },
};

const depths = Object.keys(DEPTHS).map(Number);

export const resnetOptions = z.strictObject({
  ...dimensionShape(512),
  depth: z
    .literal(depths, `one of ${depths.join(', ')}`)
    .default(18)
    .describe('layers that have weights, as the published networks are called'),
});

export type ResnetOptions = z.input<typeof resnetOptions>;

/**
 * ResNet (He et al., 2016), with the stride of a bottleneck in its 3x3 convolution (v1.5); global average pooling, a dense layer
 * and scaling to unit length in place of the classifier. Padding and names are torchvision's.
 */
export function resnet(options: ResnetOptions = {}): ModelSpec {
  const given = parseOptions(resnetOptions, options);
  const [dimension, { depth }] = [dimensionOf(resnetOptions, given), given];
  const { blocks, bottleneck } = DEPTHS[depth];
  const expansion = bottleneck ? 4 : 1;
  let before = 64;
  const stages = blocks.flatMap((count, stage) =>
    Array.from({ length: count }, (_, i) => {
      const [width, strides] = [64 * 2 ** stage, stage > 0 && i === 0 ? 2 : 1];
      const path = `layer${stage + 1}.${i}`;
      const shortcut = strides > 1 || before !== width * expansion;
      before = width * expansion;
      return residual(path, bottleneck ? narrowed(path, width, strides) : basic(path, width, strides), {
        ...{ shortcut, filters: before, strides },
      });
    }),
  );
  const layers: Layer[] = [
    unit('conv1', 'bn1', 64, 7, 2, 'relu'),
    { type: 'max-pool', size: 3, strides: 2, padding: 1 },
    ...stages,
    { type: 'mean-pool' },
    { type: 'dense', name: 'embedding', units: dimension },
  ];
  return networkModel(resnetPart.name, { dimension, depth }, layers);
}

export const resnetPart = part('resnet', 'ResNet-18, 34 or 50, as torchvision builds them', resnetOptions, resnet);

/** A convolution with PyTorch's padding that keeps the size at strides of 1, batch normalisation, activation. */
function unit(
  name: string,
  norm: string,
  filters: number,
  size: number,
  strides: number,
  activation: Activation,
): Convolution {
  const padding = (size - 1) / 2;
  const state = { name: norm, momentum: 0.9, epsilon: 1e-5 };
  return { type: 'conv', name, filters, size, strides, padding, norm: state, activation };
}

function basic(path: string, width: number, strides: number): Layer[] {
  return [
    unit(`${path}.conv1`, `${path}.bn1`, width, 3, strides, 'relu'),
    unit(`${path}.conv2`, `${path}.bn2`, width, 3, 1, 'none'),
  ];
}

function narrowed(path: string, width: number, strides: number): Layer[] {
  return [
    unit(`${path}.conv1`, `${path}.bn1`, width, 1, 1, 'relu'),
    unit(`${path}.conv2`, `${path}.bn2`, width, 3, strides, 'relu'),
    unit(`${path}.conv3`, `${path}.bn3`, 4 * width, 1, 1, 'none'),
  ];
}

interface Shortcut {
  /** Whether the input needs a convolution to be added. */
  shortcut: boolean;
  filters: number;
  strides: number;
}

function residual(path: string, main: Layer[], { shortcut, filters, strides }: Shortcut): Layer {
  const names = [`${path}.downsample.0`, `${path}.downsample.1`] as const;
  const other = shortcut ? [unit(...names, filters, 1, strides, 'none')] : [];
  return { type: 'sum', branches: [main, other], activation: 'relu' };
}
