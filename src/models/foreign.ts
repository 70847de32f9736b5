import { z } from 'zod';
import * as tf from '#tf';
import { isImageShape } from '../checks.js';
import { EatDmlError, invalid } from '../errors.js';
import { callback, count, parse, parseOptions } from '../options.js';
import { unitRows } from '../tfjs/index.js';
import { checkImages, type Embedder, type ImageShape, type TrainingMode } from './embedder.js';

const imageShape = z.custom<ImageShape>(isImageShape, '[height, width, channels] of positive integers');

const shared = {
  unitNorm: z
    .boolean()
    .default(true)
    .describe('scale rows to unit length; without, they are features: to embed with, not to train, attack or evaluate'),
  preprocess: callback<(images: tf.Tensor4D) => tf.Tensor4D>()
    .optional()
    .describe('what is made of images in [0, 1] first, behind epsilon; differentiable'),
};

const layersOptions = z.strictObject(shared);
const graphOptions = z.strictObject({
  ...shared,
  inputShape: imageShape.optional().describe('[height, width, channels], where the model does not say'),
  output: z.string().optional().describe('name of the tensor that holds the embeddings (default its only output)'),
});
const functionOptions = z.strictObject({
  ...shared,
  inputShape: imageShape.describe('[height, width, channels]'),
  dimension: count.describe('columns of what it returns'),
});

/** Options of {@link fromLayersModel}. */
export type ForeignOptions = z.input<typeof layersOptions>;
/** Options of {@link fromGraphModel}. */
export type GraphModelOptions = z.input<typeof graphOptions>;
/** Options of {@link fromFunction}. */
export type FunctionOptions = z.input<typeof functionOptions>;

/**
 * A tfjs-layers model, from images [n, h, w, c] to embeddings [n, d], as an embedder: to embed, attack, evaluate and, as its
 * variables are known, train. The embedder owns the model.
 *
 * @throws EatDmlError ERR_ARGUMENT where the model is of other shapes.
 *
 * @example
 * ```ts
 * import * as tf from 'eat-dml/tf';
 * import { Ensemble, fromLayersModel } from 'eat-dml';
 *
 * const keras = tf.sequential({
 *   layers: [
 *     tf.layers.conv2d({ inputShape: [32, 32, 3], filters: 8, kernelSize: 3, strides: 2, activation: 'relu' }),
 *     tf.layers.globalAveragePooling2d({}),
 *     tf.layers.dense({ units: 16 }),
 *   ],
 * });
 * const ensemble = new Ensemble([fromLayersModel(keras, { preprocess: (images) => tf.sub(tf.mul(images, 2), 1) })]);
 * console.log((await ensemble.embed({ images: new Uint8Array(3072), shape: [32, 32, 3] })).data);
 * ```
 */
export function fromLayersModel(model: tf.LayersModel, options: ForeignOptions = {}): Embedder {
  if (!(model instanceof tf.LayersModel) || isDisposed(model))
    throw invalid('model', 'a tfjs-layers model that is not disposed', model);
  const settings = parseOptions(layersOptions, options);
  const [input, output] = [model.inputs[0]?.shape, model.outputs[0]?.shape];
  const inputShape = imagesOf(input);
  if (model.inputs.length !== 1 || model.outputs.length !== 1 || output?.length !== 2 || !output[1]) {
    throw invalid('model', 'one input of images and one output [n, d]', shapesText(model));
  }
  // Wrapped: tfjs keeps the variable of a weight to itself.
  const variables = model.weights.map((weight) => [weight.originalName, weight.read() as tf.Variable] as const);
  const trainable = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  return embedderOf({
    ...{ inputShape, dimension: output[1], settings },
    run: (images, training) => model.apply(images, { training }) as tf.Tensor,
    weights: uniqueNames(variables),
    variables: trainable,
    dispose: () => model.dispose(),
  });
}

/** What is used of a tf.GraphModel, so that no converter is needed to say what one is. */
export interface GraphModelLike {
  readonly inputs: readonly { readonly shape?: readonly number[] }[];
  readonly outputs: readonly { readonly shape?: readonly number[] }[];
  execute(inputs: tf.Tensor, outputs?: string): unknown;
  dispose(): void;
}

/**
 * A graph model (tf.loadGraphModel), from images [n, h, w, c] to embeddings [n, d], as an embedder to embed, attack and evaluate; its
 * weights are constants, so it cannot be trained. The embedder owns the model.
 *
 * @throws EatDmlError ERR_ARGUMENT where its shapes are others, or not known.
 */
export function fromGraphModel(model: GraphModelLike, options: GraphModelOptions = {}): Embedder {
  const { execute, dispose, inputs, outputs } = (model ?? {}) as Partial<GraphModelLike>;
  const callable = [execute, dispose].every((method) => typeof method === 'function');
  if (!callable || !Array.isArray(inputs) || !Array.isArray(outputs)) {
    throw invalid('model', 'a graph model, as tf.loadGraphModel gives it', model);
  }
  const { inputShape, output, ...settings } = parseOptions(graphOptions, options);
  if (model.inputs.length !== 1 || (output === undefined && model.outputs.length !== 1)) {
    throw invalid('model', 'one input and one output, or the name of an output', shapesText(model));
  }
  const shape = inputShape ?? imagesOf(model.inputs[0].shape);
  const run = (images: tf.Tensor4D) => model.execute(images, output) as tf.Tensor;
  const dimension = tf.tidy(() => {
    const rows = called(() => run(prepared(tf.zeros([1, ...shape]), settings))) as unknown;
    if (!(rows instanceof tf.Tensor) || rows.rank !== 2) throw invalid('model', 'embeddings [n, d]', rows);
    return rows.shape[1] as number;
  });
  return embedderOf({ inputShape: shape, dimension, settings, run, dispose: () => model.dispose() });
}

/**
 * Any differentiable function from images [n, h, w, c] in [0, 1] to embeddings [n, d] as an embedder to embed, attack and evaluate.
 *
 * @throws EatDmlError ERR_ARGUMENT; also when it is called and returns something else.
 *
 * @example
 * ```ts
 * import * as tf from 'eat-dml/tf';
 * import { Ensemble, evaluate, fromFunction, openData } from 'eat-dml';
 *
 * const { test: unseen } = await openData('folder', { root: 'photos', transform: { resize: 36, crop: 32 }, sides: ['test'] });
 * // Mean colour of 16 x 16 patches: no network, but it can be attacked and measured as one.
 * const embed = (images: tf.Tensor4D) => tf.reshape(tf.avgPool(images, 16, 16, 'valid'), [images.shape[0], 12]);
 * const embedder = fromFunction(embed, { inputShape: [32, 32, 3], dimension: 12 });
 * const report = await evaluate(new Ensemble([embedder]), unseen, { suite: 'quick', epsilon: 2 / 255 });
 * console.log(report.clean.recallAt1, report.worst.scores.recallAt1);
 * ```
 */
export function fromFunction(embed: (images: tf.Tensor4D) => tf.Tensor, options: FunctionOptions): Embedder {
  parse(callback(), embed, 'embed');
  const { inputShape, dimension, ...settings } = parseOptions(functionOptions, options);
  return embedderOf({ inputShape, dimension, settings, run: embed, dispose: () => {} });
}

interface Foreign {
  inputShape: ImageShape;
  dimension: number;
  settings: z.output<typeof layersOptions>;
  run(images: tf.Tensor4D, training: boolean): tf.Tensor;
  weights?: ReadonlyMap<string, tf.Variable>;
  variables?: readonly tf.Variable[];
  dispose(): void;
}

function embedderOf(foreign: Foreign): Embedder {
  const { inputShape, dimension, settings, run, weights = new Map(), variables = [], dispose } = foreign;
  const apply = (images: tf.Tensor4D, mode: TrainingMode = false) => {
    checkImages(images, inputShape);
    return tf.tidy(() => {
      // What other libraries' layers have no mode for is refused by name.
      if (typeof mode === 'string')
        throw invalid('batchNorm', 'running, for a network that is not described by layers', mode);
      const rows = called(() => run(prepared(images, settings), mode));
      const fits = rows instanceof tf.Tensor && rows.rank === 2 && rows.dtype === 'float32';
      if (!fits || rows.shape[0] !== images.shape[0] || rows.shape[1] !== dimension) {
        throw invalid('the embeddings', `a float32 tensor [${images.shape[0]}, ${dimension}]`, rows);
      }
      return settings.unitNorm ? unitRows(rows as tf.Tensor2D) : (rows as tf.Tensor2D);
    });
  };
  const { unitNorm } = settings;
  return { inputShape, embedding: dimension, apply, weights, unitNorm, variables: () => [...variables], dispose };
}

/** What a network of another's throws, as an error that says whose it is. */
function called<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof EatDmlError) throw cause;
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new EatDmlError('ERR_ARGUMENT', `Expected the network to take its images but it threw: ${said}`, { cause });
  }
}

function prepared(images: tf.Tensor4D, { preprocess }: Pick<Foreign['settings'], 'preprocess'>): tf.Tensor4D {
  return preprocess ? preprocess(images) : images;
}

function isDisposed({ weights }: tf.LayersModel): boolean {
  try {
    for (const weight of weights) weight.read();
    return false;
  } catch {
    return true;
  }
}

/** [height, width, channels] of an input [null, h, w, c]. */
function imagesOf(shape: readonly (number | null)[] | undefined): ImageShape {
  const sides = shape?.slice(1) ?? [];
  if (sides.length === 3 && sides.every((side) => side !== null && side > 0)) return sides as ImageShape;
  throw new EatDmlError(
    'ERR_ARGUMENT',
    `Expected a model of images [n, h, w, c] but received [${shape?.join(', ')}].`,
    {
      hint: 'Every size must be known: fix them when the model is exported; of a graph model, give inputShape.',
    },
  );
}

function shapesText({
  inputs,
  outputs,
}: Record<'inputs' | 'outputs', readonly { readonly shape?: unknown }[]>): string {
  const text = (tensors: readonly { readonly shape?: unknown }[]) =>
    tensors.map(({ shape }) => `[${shape}]`).join(', ');
  return `${text(inputs)} to ${text(outputs)}`;
}

/** Layers of one model may share a name where tfjs counts on. */
function uniqueNames(variables: readonly (readonly [string, tf.Variable])[]): Map<string, tf.Variable> {
  const named = new Map<string, tf.Variable>();
  for (const [name, variable] of variables) {
    let free = name;
    for (let i = 2; named.has(free); i++) free = `${name}-${i}`;
    named.set(free, variable);
  }
  return named;
}
