import * as tf from '#tf';
import { EatDmlError } from '../errors.js';
import { overhang } from '../tfjs/index.js';
import type {
  Activation,
  AveragePool,
  Concat,
  Convolution,
  Depthwise,
  Layer,
  MaxPool,
  Normalise,
  Padding,
  Sum,
} from './layers.js';
import { affine } from './preprocessing.js';

export type Symbolic = tf.SymbolicTensor;

/** What the weights of a model shall be, by their names. */
export type Values = Map<string, tf.Variable | number[]>;

/** Names of layers: those of the description, and counted ones where it has none. */
export class Naming {
  private count = 0;

  constructor(
    private readonly prefix: string,
    /** Of the model's weights, by their names; what a layer computes with goes there. */
    readonly values: Values,
  ) {}

  of(name: string): string {
    return this.prefix + name;
  }

  next(kind: string): string {
    return this.of(`${kind}-${++this.count}`);
  }
}

/** What layers make of `input`, by layers of tfjs; `nonNegative` says whether nothing in the input is below zero. */
export function chain(named: Naming, layers: readonly Layer[], input: Symbolic, nonNegative = false): Symbolic {
  return layers.reduce((x, layer, i) => {
    return apply(named, layer, x, keepsNonNegative(layers.slice(0, i), nonNegative));
  }, input);
}

function apply(named: Naming, layer: Layer, x: Symbolic, nonNegative: boolean): Symbolic {
  switch (layer.type) {
    case 'normalise':
      return normalise(named, layer, x);
    case 'conv':
    case 'depthwise':
      return convolution(named, layer, x);
    case 'max-pool':
      return maxPool(named, layer, x, nonNegative);
    case 'average-pool':
      return averagePool(named, layer, x);
    case 'flatten': {
      const targetShape = [1, 1, x.shape.slice(1).reduce<number>((size, side) => size * side!, 1)];
      return tf.layers.reshape({ targetShape, name: named.next('flatten') }).apply(x) as Symbolic;
    }
    case 'mean-pool':
      return tf.layers.globalAveragePooling2d({ name: named.next('mean-pool') } as never).apply(x) as Symbolic;
    case 'peak-pool':
      return tf.layers.globalMaxPooling2d({ name: named.next('peak-pool') } as never).apply(x) as Symbolic;
    case 'dense': {
      const { name, units } = layer;
      return tf.layers.dense({ units, kernelInitializer: 'zeros', name: named.of(name) }).apply(x) as Symbolic;
    }
    case 'sum':
    case 'concat':
      return joined(named, layer, x, nonNegative);
  }
}

function joined(named: Naming, layer: Sum | Concat, x: Symbolic, nonNegative: boolean): Symbolic {
  const branches = layer.branches.map((branch) => chain(named, branch, x, nonNegative));
  if (layer.type === 'concat') {
    return tf.layers.concatenate({ axis: -1, name: named.next('concat') }).apply(branches) as Symbolic;
  }
  return activated(named, layer.activation, tf.layers.add({ name: named.next('sum') }).apply(branches) as Symbolic);
}

/** Whether what layers give holds nothing below zero. */
function keepsNonNegative(layers: readonly Layer[], input: boolean): boolean {
  return layers.reduce((before, layer) => {
    if (layer.type === 'concat') return layer.branches.every((branch) => keepsNonNegative(branch, before));
    if (layer.type.endsWith('pool')) return before;
    return 'activation' in layer && layer.activation !== undefined && layer.activation !== 'none';
  }, input);
}

/** A convolution of one pixel, whose weights are its own. */
function normalise(named: Naming, layer: Normalise, x: Symbolic): Symbolic {
  const channels = x.shape[3]!;
  const { factor, offset } = affine(layer, channels);
  const name = named.next('normalise');
  const source = (channel: number) => (layer.bgr ? channels - 1 - channel : channel);
  const kernel = factor.flatMap((_, from) => factor.map((value, to) => (source(to) === from ? value : 0)));
  named.values.set(`${name}/kernel`, kernel);
  named.values.set(
    `${name}/bias`,
    offset.map((value) => -value),
  );
  return tf.layers.conv2d({ filters: channels, kernelSize: 1, kernelInitializer: 'zeros', name }).apply(x) as Symbolic;
}

function convolution(named: Naming, layer: Convolution | Depthwise, x: Symbolic): Symbolic {
  const { size, strides, bias, norm, activation = 'none' } = layer;
  const [input, padding] = padded(named, layer.padding, x);
  const settings = { kernelSize: size, strides, padding, useBias: bias === true, name: named.of(layer.name) };
  const product =
    layer.type === 'conv'
      ? tf.layers.conv2d({ ...settings, filters: layer.filters, kernelInitializer: 'zeros' })
      : tf.layers.depthwiseConv2d({ ...settings, depthwiseInitializer: 'zeros' });
  const z = product.apply(input) as Symbolic;
  return activated(named, activation, norm ? normalised(named, norm, z) : z);
}

function normalised(
  named: Naming,
  { name, momentum, epsilon }: NonNullable<Convolution['norm']>,
  x: Symbolic,
): Symbolic {
  return tf.layers.batchNormalization({ momentum, epsilon, name: named.of(name) }).apply(x) as Symbolic;
}

function activated(named: Naming, activation: Activation, x: Symbolic): Symbolic {
  if (activation === 'none') return x;
  const limit = activation === 'relu6' ? { maxValue: 6 } : {};
  return tf.layers.reLU({ ...limit, name: named.next(activation) }).apply(x) as Symbolic;
}

/** Zeros around what a maximum is taken of are none of it only where nothing is below zero. */
function maxPool(named: Naming, { size, strides, padding }: MaxPool, x: Symbolic, nonNegative: boolean): Symbolic {
  const around = padding === 'ceil' ? overhang(x.shape as number[], size, strides) : [padding, padding];
  const bordered = around.some((rows) => typeof rows === 'number' && rows > 0);
  if (bordered && !nonNegative) {
    throw new EatDmlError('ERR_ARGUMENT', 'Expected a padded max-pool to follow an activation: tfjs pads with zeros.');
  }
  const [input, how] =
    padding === 'ceil' ? overhanging(named, around as [number, number], x) : padded(named, padding, x);
  return tf.layers
    .maxPooling2d({ poolSize: size, strides, padding: how, name: named.next('max-pool') })
    .apply(input) as Symbolic;
}

function averagePool(named: Naming, { size }: AveragePool, x: Symbolic): Symbolic {
  const [input] = padded(named, (size - 1) / 2, x);
  return tf.layers
    .averagePooling2d({ poolSize: size, strides: 1, padding: 'valid', name: named.next('average-pool') })
    .apply(input) as Symbolic;
}

type Padded = [Symbolic, 'same' | 'valid'];

function padded(named: Naming, padding: Padding, x: Symbolic): Padded {
  if (typeof padding !== 'number') return [x, padding];
  return overhanging(named, [padding, padding], x, [padding, padding]);
}

/** Zeros at the bottom and right, and at the top and left. */
function overhanging(named: Naming, end: [number, number], x: Symbolic, start: [number, number] = [0, 0]): Padded {
  if ([...end, ...start].every((rows) => rows === 0)) return [x, 'valid'];
  const padding = [
    [start[0], end[0]],
    [start[1], end[1]],
  ];
  return [tf.layers.zeroPadding2d({ padding, name: named.next('padding') } as never).apply(x) as Symbolic, 'valid'];
}
