import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { convEmbedder, type Embedder, type ModelSpec, type TrainingMode } from '../../src/models/index.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import {
  act,
  adp,
  at,
  dverge,
  eat,
  eatHeads,
  ensembleAt,
  est,
  gal,
  hm,
  type Method,
  standard,
  trades,
  train,
} from '../../src/training/index.js';
import { QUICKER } from '../evaluation/brief.js';
import { LONG } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';

beforeAll(() => chooseBackend({ backend: QUICKER }));

/** A model that counts the images of every embedding, and of every one whose gradient is taken; in its frozen form, too. */
function countingModel() {
  const taken = { forward: 0, backward: 0 };
  const back = tf.customGrad((x) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => {
      taken.backward += dy.shape[0]!;
      return tf.clone(dy);
    },
  }));
  const count = (images: tf.Tensor4D, embeddings: tf.Tensor2D) => {
    taken.forward += images.shape[0];
    return back(embeddings) as tf.Tensor2D;
  };
  const counting = (embedder: Embedder): Embedder => {
    const apply = (images: tf.Tensor4D, training?: TrainingMode) => count(images, embedder.apply(images, training));
    const frozen = () => {
      const pass = embedder.apply.frozen!();
      return { ...pass, apply: (images: tf.Tensor4D) => count(images, pass.apply(images)) };
    };
    return { ...embedder, apply: Object.assign(apply, embedder.apply.frozen && { frozen }) };
  };
  const modelOf = ({ kind, config, build, withHeads }: ModelSpec): ModelSpec => ({
    ...{ kind, config },
    build: (shape, seed) => counting(build(shape, seed)),
    withHeads: (heads) => modelOf(withHeads!(heads)),
  });
  return { model: modelOf(convEmbedder({ dimension: 4, width: 2 })), taken };
}

describe('the compute that training reports is the passes that it took', () => {
  const attack = { epsilon: 0.1, steps: 2 };
  const both = { ...attack, goal: ['training-loss', 'centroid-random-target'] as const };
  const transfers = ['shared', 'peers', 'mix', 'none', 'one', 'relay', 'pooled'] as const;

  it.each<[string, Method]>([
    ['standard', standard()],
    ['at', at({ attack })],
    ['trades', trades({ attack })],
    ['est', est({ attack })],
    ['act', act({ attack })],
    ['hm', hm({ attack, ics: 0 })],
    ['hm, ICS', hm({ attack })],
    ['ensemble-at', ensembleAt({ attack })],
    ['adp', adp()],
    ['adp, adversarial', adp({ attack })],
    ['gal', gal()],
    ['gal, adversarial', gal({ attack })],
    ['dverge', dverge({ attack })],
    ['dverge, adversarial', dverge({ attack, adversarial: true })],
    ['eat', eat({ attack: { ...both, goal: [...both.goal] }, alignment: 1 })],
    ['eat-heads', eatHeads({ attack: { ...attack, goal: ['training-loss', 'retrieval'] } })],
    ...transfers.map((transfer): [string, Method] => [`eat, ${transfer}`, eat({ attack, transfer })]),
  ])('%s', async (_, method) => {
    const { model, taken } = countingModel();
    // Steps of one epoch: what a method keeps from one for the next is in the second.
    const data = tinyImages({ perClass: LONG ? 9 : 6 });
    const batch = { classes: 4, images: 3 };
    const trained = await train({ data, model, method, seed: 2, epochs: 1, batch, backend: QUICKER });
    expect(taken.backward).toBeGreaterThan(0);
    expect(trained.history.gradientEvaluations).toBe(taken.backward);
    expect(trained.history.forwardPasses).toBe(taken.forward);
    expect(taken.forward).toBeGreaterThanOrEqual(taken.backward);
    trained.dispose();
  });
});
