import { invalid } from '../../errors.js';
import { allocate } from '../allocate.js';
import { checkInt32Length } from '../integers.js';
import { checkFlag, checkFloat32Length, checkOptions, readOptions } from '../matrix.js';
import { readable, readFields } from '../read-once.js';
import { type Conv2DGeometry, geometrySizes, readGeometry } from './conv2d.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

export interface ConvReluLayerArgs extends Conv2DGeometry {
  filter: Float32Array;
  bias?: Float32Array;
}

export interface ConvReluStackArgs {
  layers: readonly ConvReluLayerArgs[];
  input: Float32Array;
  sum?: Float32Array;
  out: Float32Array;
  passed: Int32Array;
}

export interface ConvReluStackBackpropInputArgs {
  layers: readonly ConvReluLayerArgs[];
  dy: Float32Array;
  passed: Int32Array;
  residual: boolean;
  out: Float32Array;
  masked?: Float32Array;
}

/** Words of 32 bits for the output of one layer: a bit per channel, a pixel begins a word. */
export function passedSize(g: Conv2DGeometry): number {
  return g.batch * g.outHeight * g.outWidth * Math.ceil(g.outChannels / 32);
}

/** One convolution of a stack; its batch is every layer's, and its input has the shape of the output before. */
export interface ConvReluStackLayer {
  geometry: Conv2DGeometry;
  /** [filterHeight, filterWidth, inChannels, outChannels] */
  filter: Float32Array;
  /** [outChannels]; the gradient does without. */
  bias?: Float32Array;
}

export interface ConvReluStackOptions {
  /** First to last; each with a bias. */
  layers: readonly ConvReluStackLayer[];
  /** Like the first layer's input. */
  input: Float32Array;
  /** Like the last layer's output, added before its relu: the end of a residual block. It may be the input. */
  sum?: Float32Array;
  /** Like the last layer's output. */
  out?: Float32Array;
  /** {@link passedLength} words. */
  passed?: Int32Array;
}

export interface ConvReluStackResult {
  out: Float32Array;
  /**
   * Which values relu let pass, layer after layer: of each pixel ceil(outChannels / 32) words; bit c % 32 of word c / 32 is
   * channel c's.
   */
  passed: Int32Array;
}

export interface ConvReluStackBackpropInputOptions {
  layers: readonly ConvReluStackLayer[];
  /** Gradient of the last layer's output. */
  dy: Float32Array;
  /** As {@link convReluStack} gave it. */
  passed: Int32Array;
  /** Whether the sum was the input, which has the gradients of both then. Default: false. */
  residual?: boolean;
  /** Gradient of the input. */
  out?: Float32Array;
  /** Where it is given: gets the gradient of the sum, what relu let pass of `dy`. */
  masked?: Float32Array;
}

export interface ConvReluStackGradient {
  out: Float32Array;
  masked?: Float32Array;
}

/**
 * relu(conv2d + bias), layer after layer, a few images at a time through all of them. Of what lies between two layers only
 * bits are kept; where it fits into the processor's cache, nothing else goes to memory. NaN stays NaN, and passes no gradient.
 * With `sum` the last layer is relu(conv2d + bias + sum).
 * @throws EatDmlError ERR_ARGUMENT for layers that are not whole or do not follow each other, and arrays that do not fit.
 */
export function convReluStack(options: ConvReluStackOptions, run: NetworkRun = runNative): ConvReluStackResult {
  return run(prepare(options));
}

/**
 * The gradient of {@link convReluStack} by its input, and by its sum.
 * @throws EatDmlError ERR_ARGUMENT as there.
 */
export function convReluStackBackpropInput(
  options: ConvReluStackBackpropInputOptions,
  run: NetworkRun = runNative,
): ConvReluStackGradient {
  return run(prepareGradient(options));
}

/**
 * Words that say which values of these layers relu let pass.
 * @throws EatDmlError ERR_ARGUMENT for layers that are not whole.
 */
export function passedLength(layers: readonly Pick<ConvReluStackLayer, 'geometry'>[]): number {
  return wordsOf(readLayers(readFields('', { layers }, ['layers']).layers));
}

const wordsOf = (layers: readonly ConvReluStackLayer[]) =>
  layers.reduce((sum, { geometry }) => sum + passedSize(geometry), 0);

function prepare(options: ConvReluStackOptions): NetworkCall<ConvReluStackArgs, ConvReluStackResult> {
  options = readOptions(options, ['layers', 'input', 'sum', 'out', 'passed']);
  const { input, sum } = options;
  const given = readLayers(options.layers);
  const layers = checkedLayers(given, true);
  const [inputLength, outputLength] = ends(given);
  checkFloat32Length('input', input, inputLength);
  if (sum !== undefined) checkFloat32Length('sum', sum, outputLength);
  const words = wordsOf(given);
  const { out = allocate(Float32Array, outputLength, 'layers'), passed = allocate(Int32Array, words, 'layers') } =
    options;
  checkFloat32Length('out', out, outputLength);
  checkInt32Length('passed', passed, words);
  const args = { layers, input, sum, out, passed };
  const result = () => ({ out: args.out, passed: args.passed });
  return { kernel: 'convReluStack', options, args, result };
}

function prepareGradient(
  options: ConvReluStackBackpropInputOptions,
): NetworkCall<ConvReluStackBackpropInputArgs, ConvReluStackGradient> {
  options = readOptions(options, ['layers', 'dy', 'passed', 'residual', 'out', 'masked']);
  const { dy, passed, residual = false, masked } = options;
  const given = readLayers(options.layers);
  const layers = checkedLayers(given, false);
  const [inputLength, outputLength] = ends(given);
  checkFloat32Length('dy', dy, outputLength);
  checkInt32Length('passed', passed, wordsOf(given));
  checkFlag('residual', residual);
  if (residual)
    checkShape(
      "layers[0]'s input",
      inputShape(given[0].geometry),
      outputShape(given.at(-1)!.geometry),
      'the last output',
    );
  if (masked !== undefined) checkFloat32Length('masked', masked, outputLength);
  const { out = allocate(Float32Array, inputLength, 'layers') } = options;
  checkFloat32Length('out', out, inputLength);
  const args: ConvReluStackBackpropInputArgs = { layers, dy, passed, residual, out, masked };
  const result = () => ({ out: args.out, ...(args.masked && { masked: args.masked }) });
  return { kernel: 'convReluStackBackpropInput', options, args, result };
}

const LAYER = ['geometry', 'filter', 'bias'] as const;

/** The layers as plain objects, with geometries that are whole. */
function readLayers(layers: unknown): ConvReluStackLayer[] {
  if (!Array.isArray(layers) || layers.length === 0) throw invalid('layers', 'a list of at least one layer', layers);
  return layers.map((layer: unknown, i) => {
    const name = `layers[${i}]`;
    const given = readable(name, () => checkedLayer(name, layer));
    const fields = readFields(name, given, LAYER);
    return { ...fields, geometry: readGeometry(fields.geometry, `${name}.geometry`) } as ConvReluStackLayer;
  });
}

function checkedLayer(name: string, layer: unknown): object {
  if (typeof layer !== 'object' || layer === null) throw invalid(name, 'an object {geometry, filter, bias?}', layer);
  checkOptions(layer, LAYER);
  return layer;
}

/** The layers as the kernels read them; throws unless their arrays fit and they follow each other. */
function checkedLayers(layers: readonly ConvReluStackLayer[], biased: boolean): ConvReluLayerArgs[] {
  return layers.map(({ geometry, filter, bias }, i) => {
    const name = `layers[${i}]`;
    checkFloat32Length(`${name}.filter`, filter, geometrySizes(geometry).filter);
    if (biased || bias !== undefined) checkFloat32Length(`${name}.bias`, bias, geometry.outChannels);
    if (i > 0) checkShape(`${name}'s input`, inputShape(geometry), outputShape(layers[i - 1].geometry));
    return { ...geometry, filter, bias };
  });
}

const inputShape = (g: Conv2DGeometry) => [g.batch, g.inHeight, g.inWidth, g.inChannels];
const outputShape = (g: Conv2DGeometry) => [g.batch, g.outHeight, g.outWidth, g.outChannels];

function checkShape(name: string, shape: number[], expected: number[], of = 'the output before'): void {
  if (shape.join() === expected.join()) return;
  throw invalid(name, `the shape of ${of}, [${expected.join(', ')}]`, shape);
}

/** Lengths of the first input and the last output. */
function ends(layers: readonly ConvReluStackLayer[]): [number, number] {
  return [geometrySizes(layers[0].geometry).input, geometrySizes(layers[layers.length - 1].geometry).output];
}
