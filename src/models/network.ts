import * as tf from '@tensorflow/tfjs';
import { checkImageShape } from '../checks.js';
import { parse, seed as seedSchema } from '../options.js';
import { derivedSeed } from '../random.js';
import { unitRows } from '../tfjs/index.js';
import { checkImages, type Embedder, type ImageShape, type ModelSpec, type TrainingMode } from './embedder.js';
import type { Layer } from './layers.js';
import { foldedPass, frozenPass, type Pass, trainingPass } from './passes.js';
import { survey, type VariableSpec } from './survey.js';
import { loadWeights } from './weights/load-weights.js';
import type { Renaming } from './weights/names.js';

export interface NetworkOptions {
  /** Scale the output [n, columns] to unit rows. Default true. */
  unitNorm?: boolean;
  /** File whose weights it begins with. */
  weights?: string;
  /** Other names under which such files hold them. */
  renaming?: Renaming;
}

/** The specification of a network that is described by layers, whose output is [n, columns]. */
export function networkModel(
  kind: string,
  config: ModelSpec['config'],
  layers: readonly Layer[],
  { unitNorm = true, weights: path, renaming }: NetworkOptions = {},
): ModelSpec {
  const made = (inputShape: ImageShape, seed: number, values: (all: VariableSpec[]) => Values) => {
    checkImageShape('inputShape', inputShape);
    return networkEmbedder({ layers, inputShape, unitNorm }, parse(seedSchema, seed, 'seed'), values);
  };
  return {
    kind,
    config,
    build: (inputShape, seed) =>
      made(inputShape, seed, (all) =>
        path === undefined ? new Map() : loadWeights(path, kind, all, { renaming, layers }),
      ),
    restore: (inputShape, weights) => made(inputShape, 0, () => weights),
    weightShapes: (shape) => new Map(survey(layers, shape).variables.map(({ name, shape }) => [name, shape])),
  };
}

/** What variables begin with, by name; others are drawn. */
type Values = ReadonlyMap<string, Float32Array>;

type Described = Required<Pick<Embedder, 'layers' | 'inputShape' | 'unitNorm'>>;

function networkEmbedder(of: Described, seed: number, valuesOf: (all: VariableSpec[]) => Values): Embedder {
  const { layers, inputShape, unitNorm } = of;
  const { output, variables: specs } = survey(layers, inputShape);
  const values = valuesOf(specs);
  const weights = new Map(specs.map((spec) => [spec.name, variableOf(spec, seed, values.get(spec.name))]));
  const trainable = specs.filter((spec) => spec.trainable).map(({ name }) => weights.get(name)!);
  const [training, batch] = [true, false].map((moving) => trainingPass(layers, weights, moving));
  const embed = (images: tf.Tensor4D, pass: () => Pass) => {
    checkImages(images, inputShape);
    return tf.tidy(() => {
      const rows = pass()(images) as tf.Tensor2D;
      return unitNorm ? unitRows(rows) : rows;
    });
  };
  const passOf = (mode: TrainingMode) => {
    if (mode === 'batch') return batch;
    return mode ? training : foldedPass(layers, weights);
  };
  const apply = (images: tf.Tensor4D, mode: TrainingMode = false) => embed(images, () => passOf(mode));
  const frozen = () => {
    const pass = frozenPass(layers, weights);
    return { apply: (images: tf.Tensor4D) => embed(images, () => pass) };
  };
  return {
    ...of,
    embedding: output[0],
    apply: Object.assign(apply, { frozen }),
    weights,
    variables: () => [...trainable],
    dispose: () => tf.dispose([...weights.values()]),
  };
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
