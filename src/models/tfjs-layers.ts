import * as tf from '@tensorflow/tfjs';
import { EatDmlError } from '../errors.js';
import type { Embedder } from './embedder.js';
import type { Activation, Convolution, Depthwise, Layer, MaxPool } from './layers.js';

type Symbolic = tf.SymbolicTensor;

/**
 * Embedders of the same images as one model of layers that tfjs has: from images [n, h, w, c] in [0, 1] to what an ensemble of
 * them embeds, concat_i f_i(x) / sqrt(N). Its weights are copies, called as the embedders call them behind member-0/ and so on.
 *
 * @throws EatDmlError ERR_ARGUMENT where a member is not described by layers.
 */
export function toLayersModel(members: readonly Embedder[]): tf.LayersModel {
  const input = tf.input({ shape: [...members[0].inputShape], name: 'images' });
  const values = new Map<string, tf.Variable | number[]>();
  const ends = members.map((member, i) => {
    if (!member.layers) {
      const message = `Expected members that are described by layers but received another in members[${i}].`;
      throw new EatDmlError('ERR_ARGUMENT', message);
    }
    const named = new Naming(`member-${i}/`);
    for (const [name, value] of member.weights) values.set(named.of(name), value);
    return unitRows(named, chain(named, member.layers, input), 1 / Math.sqrt(members.length), values);
  });
  const outputs = ends.length === 1 ? ends[0] : (tf.layers.concatenate({ name: 'embedding' }).apply(ends) as Symbolic);
  const model = tf.model({ inputs: input, outputs, name: 'eat-dml' });
  tf.tidy(() => {
    for (const weight of model.weights) {
      const value = values.get(weight.originalName);
      if (value) weight.write(Array.isArray(value) ? tf.tensor(value, weight.shape as number[]) : value);
    }
  });
  return model;
}

/** Names of layers: those of the description, and counted ones where it has none. */
class Naming {
  private count = 0;

  constructor(private readonly prefix: string) {}

  of(name: string): string {
    return this.prefix + name;
  }

  next(kind: string): string {
    return this.of(`${kind}-${++this.count}`);
  }
}

function chain(named: Naming, layers: readonly Layer[], input: Symbolic): Symbolic {
  return layers.reduce((x, layer, i) => apply(named, layer, x, layers[i - 1]), input);
}

function apply(named: Naming, layer: Layer, x: Symbolic, before: Layer | undefined): Symbolic {
  switch (layer.type) {
    case 'conv':
    case 'depthwise':
      return convolution(named, layer, x);
    case 'max-pool':
      return maxPool(named, layer, x, before);
    case 'mean-pool':
      return tf.layers.globalAveragePooling2d({ name: named.next('mean-pool') } as never).apply(x) as Symbolic;
    case 'dense': {
      const { name, units } = layer;
      return tf.layers.dense({ units, kernelInitializer: 'zeros', name: named.of(name) }).apply(x) as Symbolic;
    }
    case 'sum': {
      const branches = layer.branches.map((branch) => chain(named, branch, x));
      const sum = tf.layers.add({ name: named.next('sum') }).apply(branches) as Symbolic;
      return activated(named, layer.activation, sum);
    }
  }
}

function convolution(named: Naming, layer: Convolution | Depthwise, x: Symbolic): Symbolic {
  const { size, strides, bias, norm, activation = 'none' } = layer;
  const [input, padding] = padded(named, layer, x);
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
function maxPool(named: Naming, layer: MaxPool, x: Symbolic, before: Layer | undefined): Symbolic {
  const positive = before && 'activation' in before && before.activation !== 'none';
  if (typeof layer.padding === 'number' && layer.padding > 0 && !positive) {
    throw new EatDmlError('ERR_ARGUMENT', 'Expected a padded max-pool to follow an activation: tfjs pads with zeros.');
  }
  const [input, padding] = padded(named, layer, x);
  const { size, strides } = layer;
  return tf.layers
    .maxPooling2d({ poolSize: size, strides, padding, name: named.next('max-pool') })
    .apply(input) as Symbolic;
}

function padded(named: Naming, { padding }: Pick<MaxPool, 'padding'>, x: Symbolic): [Symbolic, 'same' | 'valid'] {
  if (typeof padding !== 'number') return [x, padding];
  if (padding === 0) return [x, 'valid'];
  const name = named.next('padding');
  return [tf.layers.zeroPadding2d({ padding: [padding, padding], name } as never).apply(x) as Symbolic, 'valid'];
}

/**
 * Rows scaled to length `length`, by layers that tfjs has. Layer normalisation of [y, -y], whose mean is 0, gives
 * sqrt(d) y / |y| and its negative; a convolution over pairs makes the one of the other, another keeps the first.
 */
function unitRows(named: Naming, y: Symbolic, length: number, values: Map<string, tf.Variable | number[]>): Symbolic {
  const columns = y.shape[1]!;
  const pairs = (name: string, filters: number, kernel: number[], x: Symbolic) => {
    values.set(named.of(`${name}/kernel`), kernel);
    return tf.layers
      .conv1d({ filters, kernelSize: 1, useBias: false, kernelInitializer: 'zeros', name: named.of(name) })
      .apply(x) as Symbolic;
  };
  const shaped = (targetShape: number[], x: Symbolic) =>
    tf.layers.reshape({ targetShape, name: named.next('reshape') }).apply(x) as Symbolic;
  const both = pairs('unit-pairs', 2, [1, -1], shaped([columns, 1], y));
  // With a scale of 1 and a centre of 0: without them tfjs cannot take its gradient.
  const norm = tf.layers.layerNormalization({ epsilon: 1e-24, name: named.of('unit-norm') });
  const scaled = norm.apply(shaped([2 * columns], both)) as Symbolic;
  const first = pairs('unit-scale', 1, [length / Math.sqrt(columns), 0], shaped([columns, 2], scaled));
  return shaped([columns], first);
}
