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
  /** Whether running variances are those of n - 1 samples, as PyTorch's are. Default: of n, as TensorFlow's. */
  unbiased?: boolean;
  /** Uses the running statistics in training, too, and learns neither scale nor offset. */
  frozen?: boolean;
}

/**
 * What the first layer of a published network makes of images in [0, 1], channel by channel: scale x / deviation - mean /
 * deviation, of the channels in reverse where `bgr`. Images of one channel take the means of the three.
 */
export interface Normalise {
  type: 'normalise';
  bgr: boolean;
  scale: number;
  mean: readonly number[];
  deviation: readonly number[];
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
  /** 'ceil': without a border, but a last window that begins inside the image may reach over it (PyTorch's `ceil_mode`). */
  padding: Padding | 'ceil';
}

/** The mean of each window of `size`, zeros outside the image counted in; the map keeps its size. */
export interface AveragePool {
  type: 'average-pool';
  /** Odd. */
  size: number;
}

/** All that a map holds as the channels of one place, so that a convolution of size 1 after it is a dense layer of the whole map. */
export interface Flatten {
  type: 'flatten';
}

/** Mean over height and width. */
export interface MeanPool {
  type: 'mean-pool';
}

/** Maximum over height and width. */
export interface PeakPool {
  type: 'peak-pool';
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

/** What its branches make of one input, the channels of one after those of the other. */
export interface Concat {
  type: 'concat';
  branches: readonly (readonly Layer[])[];
}

/** One layer of a network, as plain data. Names are those of the published weights, where there are any. */
export type Layer =
  | Normalise
  | Convolution
  | Depthwise
  | MaxPool
  | AveragePool
  | Flatten
  | MeanPool
  | PeakPool
  | Dense
  | Sum
  | Concat;
