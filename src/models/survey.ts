import { EatDmlError } from '../errors.js';
import type { ImageShape } from './embedder.js';
import type { Concat, Convolution, Depthwise, Layer, MaxPool, Normalise, Sum } from './layers.js';

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
  /** False for running statistics, and for all of a frozen normalisation. */
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
    case 'normalise':
      return { output: normalisable(layer, input), variables: [] };
    case 'average-pool':
      return { output: input, variables: [] };
    case 'conv':
    case 'depthwise': {
      const filters = layer.type === 'conv' ? layer.filters : channels;
      const output = [...window(layer, [height, width]), filters];
      return { output, variables: convolutionVariables(layer, channels, filters) };
    }
    case 'max-pool':
      return { output: [...window(layer, [height, width]), channels], variables: [] };
    case 'flatten':
      return { output: [1, 1, height * width * channels], variables: [] };
    case 'mean-pool':
    case 'peak-pool':
      return { output: [channels], variables: [] };
    case 'dense': {
      const variable = (end: string, shape: number[], initial: Initial) => variableOf(layer.name, end, shape, initial);
      const { units } = layer;
      const variables = [variable('kernel', [input[0], units], 'glorot-uniform'), variable('bias', [units], 'zeros')];
      return { output: [units], variables };
    }
    case 'sum':
    case 'concat':
      return joined(layer, input);
  }
}

function normalisable({ mean }: Normalise, input: number[]): number[] {
  const channels = input[2];
  if (channels === mean.length || channels === 1) return input;
  const message = `Expected images of ${mean.length} channels, or one, for the model's preprocessing but received ${channels}`;
  throw new EatDmlError('ERR_ARGUMENT', `${message}.`, { hint: "Build it with preprocessing: 'none'." });
}

/** Branches that are added are alike; those side by side have maps of one size. */
function joined(layer: Sum | Concat, input: number[]): Survey {
  const branches = layer.branches.map((branch) => through(branch, input));
  const [first, ...others] = branches.map(({ output }) => output);
  const compared = layer.type === 'sum' ? first.length : first.length - 1;
  const odd = others.find((output) => output.slice(0, compared).join() !== first.slice(0, compared).join());
  if (odd) {
    const maps = [first, odd].map((output) => output.slice(0, compared).join(' x ')).join(' and ');
    const message = `Expected images of another size: branches of the network make maps of ${maps} of them`;
    throw new EatDmlError('ERR_ARGUMENT', `${message}.`, { hint: 'Sides that are a multiple of 32 always fit.' });
  }
  const channels = branches.reduce((sum, { output }) => sum + output[compared], 0);
  const output = layer.type === 'sum' ? first : [...first.slice(0, compared), channels];
  return { output, variables: branches.flatMap(({ variables }) => variables) };
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
    variableOf(norm.name, 'gamma', [filters], 'ones', !norm.frozen),
    variableOf(norm.name, 'beta', [filters], 'zeros', !norm.frozen),
    variableOf(norm.name, 'moving_mean', [filters], 'zeros', false),
    variableOf(norm.name, 'moving_variance', [filters], 'ones', false),
  ];
}

/** Height and width after a window of `size` has gone over an image. */
function window({ size, strides, padding }: Omit<MaxPool, 'type'>, image: readonly number[]): number[] {
  return image.map((side) => {
    const out = windows(side, size, strides, padding);
    if (out >= 1) return out;
    const message = `Expected larger images: a window of ${size} finds no place on ${image.join(' x ')} pixels.`;
    throw new EatDmlError('ERR_ARGUMENT', message);
  });
}

/** Places of a window along one side. */
function windows(side: number, size: number, strides: number, padding: MaxPool['padding']): number {
  if (padding === 'same') return Math.ceil(side / strides);
  if (padding === 'ceil') return Math.ceil((side - size) / strides) + 1;
  const around = padding === 'valid' ? 0 : padding;
  return Math.floor((side + 2 * around - size) / strides) + 1;
}
