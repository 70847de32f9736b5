import { EatDmlError } from '../errors.js';
import type { ImageShape } from './embedder.js';

/**
 * What a convolution or pooling sees past the border: 'same' is TensorFlow's (the output is ceil(n / strides); an odd rest of
 * the padding goes to the bottom and right), a number is PyTorch's (so many rows on every side), 'valid' is none. At strides
 * of 2 the first two differ.
 */
export type Padding = 'same' | 'valid' | number;

export type Activation = 'none' | 'relu' | 'relu6';

/** Batch normalisation of what comes before it. */
export interface Norm {
  name: string;
  /** Share of the old running statistics that a step keeps: PyTorch's `momentum` is 1 minus this. */
  momentum: number;
  epsilon: number;
}

/** A convolution with what always goes with it. It has a normalisation, a bias, or both. */
export interface Convolution {
  type: 'conv';
  name: string;
  filters: number;
  /** Height and width of the filters. */
  size: number;
  strides: number;
  padding: Padding;
  /** Default none. */
  bias?: boolean;
  norm?: Norm;
  /** Default none. */
  activation?: Activation;
}

/** As {@link Convolution}, each channel by a filter of its own. */
export interface Depthwise extends Omit<Convolution, 'type' | 'filters'> {
  type: 'depthwise';
}

export interface MaxPool {
  type: 'max-pool';
  size: number;
  strides: number;
  padding: Padding;
}

/** Mean over height and width. */
export interface MeanPool {
  type: 'mean-pool';
}

export interface Dense {
  type: 'dense';
  name: string;
  units: number;
}

/** The sum of what its branches make of one input; one without layers passes it on. */
export interface Sum {
  type: 'sum';
  branches: readonly (readonly Layer[])[];
  activation: Activation;
}

/** One layer of a network, as plain data. Names are those of the published weights, where there are any. */
export type Layer = Convolution | Depthwise | MaxPool | MeanPool | Dense | Sum;

/** How a variable begins. */
export type Initial = 'he-normal' | 'glorot-uniform' | 'zeros' | 'ones';

/** A variable that a network needs. */
export interface VariableSpec {
  /** Of the layer, a slash, and what tfjs-layers calls it: conv1/kernel. */
  name: string;
  /** The layer's name: it has a random stream of its own. */
  layer: string;
  shape: number[];
  initial: Initial;
  /** False for running statistics. */
  trainable: boolean;
}

/** What a network is for images of one size. */
export interface Survey {
  /** [columns], or [height, width, channels] where no pooling ends the network. */
  output: number[];
  /** In the order of the layers, which is the optimiser's, too. */
  variables: VariableSpec[];
}

/** What the layers need and give for images of that shape, told without making anything. */
export function survey(layers: readonly Layer[], inputShape: ImageShape): Survey {
  return through(layers, [...inputShape]);
}

function through(layers: readonly Layer[], input: number[]): Survey {
  return layers.reduce<Survey>(
    ({ output, variables }, layer) => {
      const own = of(layer, output);
      return { output: own.output, variables: [...variables, ...own.variables] };
    },
    { output: input, variables: [] },
  );
}

function of(layer: Layer, input: number[]): Survey {
  const [height, width, channels] = input;
  switch (layer.type) {
    case 'conv':
    case 'depthwise': {
      const filters = layer.type === 'conv' ? layer.filters : channels;
      const output = [...window(layer, [height, width]), filters];
      return { output, variables: convolutionVariables(layer, channels, filters) };
    }
    case 'max-pool':
      return { output: [...window(layer, [height, width]), channels], variables: [] };
    case 'mean-pool':
      return { output: [channels], variables: [] };
    case 'dense': {
      const variable = (end: string, shape: number[], initial: Initial) => variableOf(layer.name, end, shape, initial);
      const { units } = layer;
      const variables = [variable('kernel', [input[0], units], 'glorot-uniform'), variable('bias', [units], 'zeros')];
      return { output: [units], variables };
    }
    case 'sum': {
      const branches = layer.branches.map((branch) => through(branch, input));
      return { output: branches[0].output, variables: branches.flatMap(({ variables }) => variables) };
    }
  }
}

function variableOf(layer: string, end: string, shape: number[], initial: Initial, trainable = true): VariableSpec {
  return { name: `${layer}/${end}`, layer, shape, initial, trainable };
}

function convolutionVariables(layer: Convolution | Depthwise, channels: number, filters: number): VariableSpec[] {
  const { name, size, norm } = layer;
  const [end, perChannel] = layer.type === 'conv' ? ['kernel', filters] : ['depthwise_kernel', 1];
  const own = [variableOf(name, end, [size, size, channels, perChannel], 'he-normal')];
  if (layer.bias) own.push(variableOf(name, 'bias', [filters], 'zeros'));
  if (!norm) return own;
  return [
    ...own,
    variableOf(norm.name, 'gamma', [filters], 'ones'),
    variableOf(norm.name, 'beta', [filters], 'zeros'),
    variableOf(norm.name, 'moving_mean', [filters], 'zeros', false),
    variableOf(norm.name, 'moving_variance', [filters], 'ones', false),
  ];
}

/** Height and width after a window of `size` has gone over an image. */
function window({ size, strides, padding }: Omit<MaxPool, 'type'>, image: readonly number[]): number[] {
  return image.map((side) => {
    const around = padding === 'valid' ? 0 : padding;
    const out = around === 'same' ? Math.ceil(side / strides) : Math.floor((side + 2 * around - size) / strides) + 1;
    if (out >= 1) return out;
    const message = `Expected larger images: a window of ${size} finds no place on ${image.join(' x ')} pixels.`;
    throw new EatDmlError('ERR_ARGUMENT', message);
  });
}
