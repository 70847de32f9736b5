import * as tf from '#tf';
import { checkImageShape } from '../checks.js';
import { invalid } from '../errors.js';
import { parse, seed as seedSchema } from '../options.js';
import { derivedSeed } from '../random.js';
import { unitRows } from '../tfjs/index.js';
import {
  checkImages,
  type Embedder,
  type EmbedImages,
  type ImageShape,
  type ModelSpec,
  type TrainingMode,
} from './embedder.js';
import type { Layer } from './layers.js';
import { firstName, type NormSet, normSet, variablesBy, withSecondSet } from './norm-sets.js';
import { foldedPass, frozenPass, isBlock, type Pass, recomputingPass, trainingPass } from './passes.js';
import { survey, type VariableSpec } from './survey.js';
import { loadWeights } from './weights/load-weights.js';
import type { Renaming } from './weights/names.js';

export interface NetworkOptions {
  /** Scale the output [n, columns] to unit rows. Default true. */
  unitNorm?: boolean;
  /** Parts of the columns, as many in each, that are scaled to unit length each for itself, and then by 1/sqrt(heads). Default 1. */
  heads?: number;
  /** File whose weights it begins with. */
  weights?: string;
  /** Other names under which such files hold them. */
  renaming?: Renaming;
  /** Two sets of batch normalisations: see {@link NormSet}. */
  batchNorm?: 'shared' | 'split';
  /** In training, what blocks compute is not kept but computed again for their gradients. */
  recompute?: boolean;
}

/** The specification of a network that is described by layers, whose output is [n, columns]. */
export function networkModel(
  kind: string,
  config: ModelSpec['config'],
  layers: readonly Layer[],
  options: NetworkOptions = {},
): ModelSpec {
  const { unitNorm = true, heads = 1, recompute = false, weights: path, renaming } = options;
  const split = options.batchNorm === 'split';
  if (split && config.frozenBatchNorm) {
    throw invalid('frozenBatchNorm', 'false with batchNorm split, as frozen sets would stay alike,', true);
  }
  const made = (inputShape: ImageShape, seed: number, values: (all: VariableSpec[]) => Values) => {
    checkImageShape('inputShape', inputShape);
    return networkEmbedder(
      { layers, inputShape, unitNorm, heads, recompute },
      split,
      parse(seedSchema, seed, 'seed'),
      values,
    );
  };
  return {
    kind,
    config: { ...config, ...(heads > 1 && { heads }), ...(split && { batchNorm: 'split' }) },
    build: (inputShape, seed) =>
      made(inputShape, seed, (all) =>
        path === undefined ? new Map() : loadWeights(path, kind, all, { renaming, layers }),
      ),
    restore: (inputShape, weights) => made(inputShape, 0, () => weights),
    weightShapes: (shape) => new Map(specsOf(layers, shape, split).all.map(({ name, shape }) => [name, shape])),
    split: () => networkModel(kind, config, layers, { ...options, batchNorm: 'split' }),
    ...(layers.some(isBlock) && {
      recomputing: () => networkModel(kind, config, layers, { ...options, recompute: true }),
    }),
    withHeads: (wanted) => networkModel(kind, config, widened(layers, wanted / heads), { ...options, heads: wanted }),
  };
}

/** The layers with so many times the columns of the last. */
function widened(layers: readonly Layer[], times: number): Layer[] {
  const last = layers.at(-1)!;
  if (last.type !== 'dense')
    throw invalid('model', 'a network with a linear head, which heads can stand beside,', last.type);
  return [...layers.slice(0, -1), { ...last, units: last.units * times }];
}

/** What variables begin with, by name; others are drawn. */
type Values = ReadonlyMap<string, Float32Array>;

type Described = Required<Pick<Embedder, 'layers' | 'inputShape' | 'unitNorm' | 'heads'>> & { recompute: boolean };

/** The variables that layers need, and all of a network of one or two sets of normalisations. */
function specsOf(layers: readonly Layer[], inputShape: ImageShape, split: boolean) {
  const { output, variables: own } = survey(layers, inputShape);
  return { output, own, all: split ? withSecondSet(own) : own };
}

function networkEmbedder(
  { recompute, ...of }: Described,
  split: boolean,
  seed: number,
  valuesOf: (own: VariableSpec[]) => Values,
): Embedder {
  const { output, own, all } = specsOf(of.layers, of.inputShape, split);
  const values = valuesOf(own);
  // A file has one set: both begin with it.
  const firstValue = (name: string) => values.get(name) ?? values.get(firstName(name));
  const weights = new Map(all.map((spec) => [spec.name, variableOf(spec, seed, firstValue(spec.name))]));
  const embedder = (variables: Embedder['weights'], more: Partial<Embedder> = {}): Embedder => ({
    ...of,
    embedding: output[0],
    apply: functionOf({ ...of, recompute }, variables),
    weights: variables,
    variables: () => [...variables.values()].filter(({ trainable }) => trainable),
    dispose: () => {},
    ...more,
  });
  const dispose = () => tf.dispose([...weights.values()]);
  if (!split) return embedder(weights, { dispose });
  const [clean, adversarial] = (['clean', 'adversarial'] as const).map((set) => embedder(variablesBy(weights, set)));
  const apply = (images: tf.Tensor4D, mode: TrainingMode = false) =>
    (mode === true ? clean : adversarial).apply(images, mode);
  const by = (set: NormSet) => (parse(normSet, set, 'set') === 'clean' ? clean : adversarial);
  const { frozen } = adversarial.apply;
  return embedder(weights, { apply: Object.assign(apply, { frozen }), by, dispose });
}

/** What layers make of images by those variables. */
function functionOf(
  { layers, inputShape, unitNorm, heads, recompute }: Described,
  variables: Embedder['weights'],
): EmbedImages {
  const inTraining = recompute ? recomputingPass : trainingPass;
  const [training, batch] = [true, false].map((moving) => inTraining(layers, variables, moving));
  const embed = (images: tf.Tensor4D, pass: () => Pass) => {
    checkImages(images, inputShape);
    return tf.tidy(() => {
      const rows = pass()(images) as tf.Tensor2D;
      return unitNorm ? unitHeads(rows, heads) : rows;
    });
  };
  const passOf = (mode: TrainingMode) => {
    if (mode === 'batch') return batch;
    return mode ? training : foldedPass(layers, variables);
  };
  const apply = (images: tf.Tensor4D, mode: TrainingMode = false) => embed(images, () => passOf(mode));
  const frozen = () => {
    const pass = frozenPass(layers, variables);
    return { apply: (images: tf.Tensor4D) => embed(images, () => pass) };
  };
  return Object.assign(apply, { frozen });
}

/** Each head's columns scaled to unit length, and all by 1/sqrt(heads): rows of unit length, whose squared distances are the heads' means. */
function unitHeads(rows: tf.Tensor2D, heads: number): tf.Tensor2D {
  if (heads === 1) return unitRows(rows);
  const [n, columns] = rows.shape;
  const unit = unitRows(tf.reshape(rows, [n * heads, columns / heads]));
  return tf.mul(tf.reshape(unit, [n, columns]), 1 / Math.sqrt(heads));
}

/** A fresh variable of those values; without, each layer draws from a stream of its own. */
function variableOf(spec: VariableSpec, seed: number, values: Float32Array | undefined): tf.Variable {
  const { layer, shape, initial, trainable } = spec;
  return tf.tidy(() => {
    const first = values ? tf.tensor(values, shape) : initialValue(shape, initial, derivedSeed(seed, 'weights', layer));
    return tf.variable(first, trainable);
  });
}

function initialValue(shape: number[], initial: VariableSpec['initial'], seed: number): tf.Tensor {
  switch (initial) {
    case 'zeros':
      return tf.zeros(shape);
    case 'ones':
      return tf.ones(shape);
    case 'glorot-uniform':
      return tf.initializers.glorotUniform({ seed }).apply(shape);
    case 'he-normal': {
      // A filter of one channel sees that channel alone.
      const [h, w, channels, filters] = shape;
      const seen = filters === 1 ? [h, w, 1, channels] : shape;
      return tf.reshape(tf.initializers.heNormal({ seed }).apply(seen), shape);
    }
  }
}
