import { z } from 'zod';
import * as tf from '#tf';
import { checkImageShape } from '../checks.js';
import { EatDmlError, invalid } from '../errors.js';
import type { Layer } from './layers.js';
import type { NormSet } from './norm-sets.js';

/** Height, width, channels of the images a model takes. */
export type ImageShape = [number, number, number];

/**
 * By which statistics batch normalisation works: with true the batch's own, which also move the running ones; with 'batch' the
 * batch's own, and nothing moves; with false (the default, and in every evaluation) the running ones. A network of two sets of
 * normalisations ({@link NormSet}) works by the clean set with true, by the adversarial one in the two other modes, and with
 * 'adversarial', which is else the same as true.
 */
export type TrainingMode = boolean | 'batch' | 'adversarial';

/** Embeds `images` [n, h, w, c] in [0, 1] as n unit rows; differentiable in the images and in the variables. */
export interface EmbedImages {
  (images: tf.Tensor4D, training?: TrainingMode): tf.Tensor2D;
  /**
   * The same function in inference mode with the weights of now, differentiable in the images alone; what follows from the
   * weights is computed once. Call it in a tidy, which then owns that. It belongs to the function, not to the embedder: who puts
   * another function in its place, such as a front that changes the images, is attacked through that one.
   */
  frozen?(): FrozenEmbedder;
}

/** A network from images in [0, 1] to the unit sphere, or to features ({@link Embedder.unitNorm}). */
export interface Embedder {
  readonly inputShape: ImageShape;
  /** Number of columns of the embedding. */
  readonly embedding: number;
  readonly apply: EmbedImages;
  /** The trainable variables, in a fixed order. */
  variables(): tf.Variable[];
  /** Those of them that make the embedding of the features, where `layers` does not tell: they can be trained first. */
  head?(): tf.Variable[];
  /** Every variable by its name, running statistics with them: what a checkpoint stores. */
  readonly weights: ReadonlyMap<string, tf.Variable>;
  /** What the network is made of, where it is described by layers: its export is written by that. */
  readonly layers?: readonly Layer[];
  /** Of a network of two sets of batch normalisations: the network by one of them, which shares its variables and frees none. */
  by?(set: NormSet): Embedder;
  /** False of one that gives features as they are: neither training nor evaluation takes it. Default true. */
  readonly unitNorm?: boolean;
  /**
   * Parts of the columns, as many in each, that are embeddings for themselves: of one length, 1/sqrt(heads), so that whole rows
   * have unit length and their squared distances are the mean of the heads'. Default 1.
   */
  readonly heads?: number;
  dispose(): void;
}

/** An embedder for many calls between which no weight changes, such as an attack. */
export interface FrozenEmbedder {
  apply(images: tf.Tensor4D): tf.Tensor2D;
}

/** How to make an embedder; `kind` and `config` are what a checkpoint stores of it. */
export interface ModelSpec {
  readonly kind: string;
  readonly config: Readonly<Record<string, number | string | boolean>>;
  /**
   * A freshly initialised embedder; every layer draws from its own stream of `seed`, but what comes from a file of weights. A
   * checkpoint comes back as what this builds, with the saved weights in place of the initial ones.
   */
  build(inputShape: ImageShape, seed: number): Embedder;
  /**
   * The same with these weights, as many as `weightShapes` names, of those shapes: nothing is drawn, and no file is read. Where
   * it is absent, a checkpoint's are put into what `build` gives.
   */
  restore?(inputShape: ImageShape, weights: ReadonlyMap<string, Float32Array>): Embedder;
  /**
   * The shapes of `weights` for these images by name, told without building anything: a checkpoint whose weights are others is
   * then refused before memory is taken for it.
   */
  weightShapes?(inputShape: ImageShape): ReadonlyMap<string, readonly number[]>;
  /** The same network with two sets of batch normalisations, where it can have them; they begin alike. */
  split?(): ModelSpec;
  /** The same network with so many heads ({@link Embedder.heads}), each of as many columns as it has in one. */
  withHeads?(heads: number): ModelSpec;
  /** The same network, whose blocks in training are computed again for their gradients, where it has any: less memory, the same bits. */
  recomputing?(): ModelSpec;
}

/** A model specification, as a schema. */
export const modelSpec = z.custom<ModelSpec>((value) => {
  const { kind, config, build } = (value ?? {}) as ModelSpec;
  const plain = typeof kind === 'string' && typeof config === 'object' && config !== null;
  return plain && typeof build === 'function';
}, 'a model specification like convEmbedder()');

/** Throws unless `value` is an embedder: a network of its own layers alone is none. */
export function checkEmbedder(name: string, value: unknown): asserts value is Embedder {
  const { inputShape, embedding, apply, variables, dispose } = (value ?? {}) as Embedder;
  const callable = [apply, variables, dispose].every((method) => typeof method === 'function');
  if (!callable || !Number.isSafeInteger(embedding) || embedding < 1) {
    throw invalid(name, 'an embedder, as convEmbedder().build() makes it', value);
  }
  checkImageShape(`${name}.inputShape`, inputShape);
}

/** Throws where `embedder` gives features as they are, which neither losses nor attacks take. */
export function checkUnitNorm(name: string, { unitNorm }: Partial<Embedder>): void {
  if (unitNorm !== false) return;
  throw new EatDmlError('ERR_ARGUMENT', `Expected embeddings of unit length from ${name} but received its features.`, {
    hint: 'Build the model with unitNorm: true.',
  });
}

/** Throws unless `images` are a float32 tensor of images of that shape. */
export function checkImages(images: tf.Tensor4D, [h, w, c]: ImageShape): void {
  const sound = images instanceof tf.Tensor && !images.isDisposed && images.dtype === 'float32';
  if (sound && images.rank === 4 && images.shape.slice(1).join() === [h, w, c].join()) return;
  throw invalid('images', `a float32 tensor [n, ${h}, ${w}, ${c}]`, images);
}

/** The layers of a member, to be exported; ERR_ARGUMENT where it is not described by them. */
export function layersOf(members: readonly Embedder[], i: number): readonly Layer[] {
  const { layers } = members[i];
  if (layers) return layers;
  const message = `Expected members that are described by layers but received another in members[${i}].`;
  throw new EatDmlError('ERR_ARGUMENT', message);
}

/** An embedder with other parts in place of some. By name, as an embedder may be an object of a class. */
export function embedderWith(embedder: Embedder, parts: Partial<Embedder>): Embedder {
  const { inputShape, embedding, apply, weights, layers, unitNorm, heads } = embedder;
  return {
    ...{ inputShape, embedding, apply, weights, layers, unitNorm, heads },
    variables: () => embedder.variables(),
    ...(embedder.by && { by: (set) => embedder.by!(set) }),
    ...(embedder.head && { head: () => embedder.head!() }),
    dispose: () => embedder.dispose(),
    ...parts,
  };
}
