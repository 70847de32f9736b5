import * as tf from '@tensorflow/tfjs';
import { checkImageShape } from '../checks.js';
import { invalid } from '../errors.js';
import { parse, seed } from '../options.js';
import { derivedSeed } from '../random.js';
import { unitRows } from '../tfjs/index.js';
import type { Embedder, ImageShape, ModelSpec } from './embedder.js';
import { type Layer, survey, type VariableSpec } from './layers.js';
import { foldedPass, frozenPass, type Pass, trainingPass } from './passes.js';

/** The specification of a network that is described by layers; their output [n, columns] is scaled to unit rows. */
export function networkModel(kind: string, config: ModelSpec['config'], layers: readonly Layer[]): ModelSpec {
  return {
    kind,
    config,
    build(inputShape, modelSeed) {
      checkImageShape('inputShape', inputShape);
      return networkEmbedder(layers, inputShape, parse(seed, modelSeed, 'seed'));
    },
    weightShapes: (shape) => new Map(survey(layers, shape).variables.map(({ name, shape }) => [name, shape])),
  };
}

function networkEmbedder(layers: readonly Layer[], inputShape: ImageShape, seed: number): Embedder {
  const { output, variables: specs } = survey(layers, inputShape);
  const weights = new Map(specs.map((spec) => [spec.name, variableOf(spec, seed)]));
  const trainable = specs.filter((spec) => spec.trainable).map(({ name }) => weights.get(name)!);
  const training = trainingPass(layers, weights);
  const embed = (images: tf.Tensor4D, pass: () => Pass) => {
    checkImages(images, inputShape);
    return tf.tidy(() => unitRows(pass()(images) as tf.Tensor2D));
  };
  const apply = (images: tf.Tensor4D, inTraining = false) =>
    embed(images, () => (inTraining ? training : foldedPass(layers, weights)));
  const frozen = () => {
    const pass = frozenPass(layers, weights);
    return { apply: (images: tf.Tensor4D) => embed(images, () => pass) };
  };
  return {
    inputShape,
    embedding: output[0],
    apply: Object.assign(apply, { frozen }),
    layers,
    weights,
    variables: () => [...trainable],
    dispose: () => tf.dispose([...weights.values()]),
  };
}

/** A fresh variable; each layer draws from a stream of its own. */
function variableOf({ layer, shape, initial, trainable }: VariableSpec, seed: number): tf.Variable {
  const stream = derivedSeed(seed, 'weights', layer);
  return tf.tidy(() => tf.variable(initialValue(shape, initial, stream), trainable));
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

function checkImages(images: tf.Tensor4D, [h, w, c]: ImageShape): void {
  const sound = images instanceof tf.Tensor && !images.isDisposed && images.dtype === 'float32';
  if (sound && images.rank === 4 && images.shape.slice(1).join() === [h, w, c].join()) return;
  throw invalid('images', `a float32 tensor [n, ${h}, ${w}, ${c}]`, images);
}
