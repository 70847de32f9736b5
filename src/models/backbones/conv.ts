import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { checkImageShape } from '../../checks.js';
import { invalid } from '../../errors.js';
import { count, parse, parseOptions, seed } from '../../options.js';
import { part } from '../../part.js';
import { derivedSeed } from '../../random.js';
import { type ConvReluLayer, convRelu, convReluStack, meanPool, unitRows } from '../../tfjs/index.js';
import { type BatchNorm, batchNorm, foldBatchNorm } from '../batch-norm.js';
import type { Embedder, ImageShape, ModelSpec } from '../embedder.js';

export const convEmbedderOptions = z.strictObject({
  embedding: count.default(64).describe('columns of the embedding'),
  width: count.default(32).describe('filters of the first block; the second and third have 2 and 4 times as many'),
});

export type ConvEmbedderOptions = z.input<typeof convEmbedderOptions>;

/** Strides of the three blocks. */
const STRIDES = [1, 2, 2];

/**
 * A small convolutional embedder for images of any size: three blocks of 3x3 convolution (no bias), batch
 * normalisation and ReLU with `width`, 2 `width` (stride 2) and 4 `width` (stride 2) filters, global average
 * pooling, a dense layer, and scaling to unit length.
 */
export function convEmbedder(options: ConvEmbedderOptions = {}): ModelSpec {
  const { embedding, width } = parseOptions(convEmbedderOptions, options);
  return {
    kind: convPart.name,
    config: { embedding, width },
    build(inputShape, modelSeed) {
      checkImageShape('inputShape', inputShape);
      return convEmbedderOver(buildLayers(inputShape, parse(seed, modelSeed, 'seed'), embedding, width));
    },
    weightShapes: ([, , channels]) => weightShapes(channels, embedding, width),
  };
}

export const convPart = part('conv', convEmbedderOptions, convEmbedder);

function buildLayers(inputShape: ImageShape, seed: number, embedding: number, width: number): tf.LayersModel {
  const input = tf.input({ shape: inputShape, name: 'images' });
  const initial = (name: string) => tf.initializers.heNormal({ seed: derivedSeed(seed, 'weights', name) });
  let x = input;
  STRIDES.forEach((strides, i) => {
    const name = `conv${i + 1}`;
    const settings = { kernelSize: 3, strides, padding: 'same' as const, useBias: false };
    const filters = width * 2 ** i;
    x = tf.layers.conv2d({ ...settings, filters, kernelInitializer: initial(name), name }).apply(x) as typeof input;
    const norm = tf.layers.batchNormalization({ momentum: 0.9, epsilon: 1e-5, name: `norm${i + 1}` });
    x = tf.layers.reLU({ name: `relu${i + 1}` }).apply(norm.apply(x)) as typeof input;
  });
  x = tf.layers.globalAveragePooling2d({ name: 'pool' } as never).apply(x) as typeof input;
  const kernelInitializer = tf.initializers.glorotUniform({ seed: derivedSeed(seed, 'weights', 'embedding') });
  x = tf.layers.dense({ units: embedding, kernelInitializer, name: 'embedding' }).apply(x) as typeof input;
  return tf.model({ inputs: input, outputs: x, name: 'conv_embedder' });
}

/** Those that training moves first: filters, gamma and beta of each block, the dense layer; then means and variances. */
function weightShapes(channels: number, embedding: number, width: number): number[][] {
  const filters = STRIDES.map((_, i) => width * 2 ** i);
  const trained = filters.flatMap((n, i) => [[3, 3, filters[i - 1] ?? channels, n], [n], [n]]);
  return [...trained, [filters[filters.length - 1], embedding], [embedding], ...filters.flatMap((n) => [[n], [n]])];
}

/** The forward pass over the layers' own variables: differentiable, and free to fuse what the layers do one by one. */
function convEmbedderOver(layers: tf.LayersModel): Embedder {
  const blocks = STRIDES.map(
    (strides, i): Block => ({
      strides,
      filter: weight(layers, `conv${i + 1}`, 0) as tf.Tensor as tf.Tensor4D,
      norm: batchNormOf(layers, `norm${i + 1}`),
    }),
  );
  const kernel = weight(layers, 'embedding', 0) as tf.Tensor as tf.Tensor2D;
  const bias = weight(layers, 'embedding', 1);
  const inputShape = layers.inputs[0].shape.slice(1) as ImageShape;
  const embed = (x: tf.Tensor4D, w = kernel, b: tf.Tensor = bias) => unitRows(tf.add(tf.matMul(meanPool(x), w), b));
  const apply = (images: tf.Tensor4D, training = false) => {
    checkImages(images, inputShape);
    return tf.tidy(() => embed(training ? trainingFeatures(images, blocks) : features(images, folded(blocks))));
  };
  const frozen = () => {
    const [layersOfNow, w, b] = [folded(blocks), tf.clone(kernel), tf.clone(bias)];
    return {
      apply(images: tf.Tensor4D) {
        checkImages(images, inputShape);
        return tf.tidy(() => embed(convReluStack(images, layersOfNow), w, b));
      },
    };
  };
  return {
    layers,
    inputShape,
    embedding: kernel.shape[1],
    apply: Object.assign(apply, { frozen }),
    variables: () => layers.trainableWeights.map((w) => w.read() as tf.Variable),
    dispose: () => void layers.dispose(),
  };
}

interface Block {
  strides: number;
  filter: tf.Tensor4D;
  norm: BatchNorm;
}

function trainingFeatures(images: tf.Tensor4D, blocks: readonly Block[]): tf.Tensor4D {
  return blocks.reduce(
    (x, { filter, norm, strides }) => batchNorm(tf.conv2d(x, filter, strides, 'same'), norm),
    images,
  );
}

function folded(blocks: readonly Block[]): ConvReluLayer[] {
  return blocks.map(({ filter, norm, strides }) => ({ ...foldBatchNorm(filter, norm), strides }));
}

function features(images: tf.Tensor4D, blocks: readonly ConvReluLayer[]): tf.Tensor4D {
  return blocks.reduce((x, { filter, bias, strides }) => convRelu(x, filter, bias, { strides, pad: 'same' }), images);
}

function weight(layers: tf.LayersModel, layer: string, index: number): tf.Variable {
  return layers.getLayer(layer).weights[index].read() as tf.Variable;
}

function batchNormOf(layers: tf.LayersModel, name: string): BatchNorm {
  const [gamma, beta, runningMean, runningVariance] = [0, 1, 2, 3].map((i) => weight(layers, name, i));
  const { momentum, epsilon } = layers.getLayer(name).getConfig() as { momentum: number; epsilon: number };
  return { gamma, beta, runningMean, runningVariance, momentum, epsilon };
}

function checkImages(images: tf.Tensor4D, [h, w, c]: ImageShape): void {
  const sound = images instanceof tf.Tensor && !images.isDisposed && images.dtype === 'float32';
  if (sound && images.rank === 4 && images.shape.slice(1).join() === [h, w, c].join()) return;
  throw invalid('images', `a float32 tensor [n, ${h}, ${w}, ${c}]`, images);
}
