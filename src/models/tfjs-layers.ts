import * as tf from '#tf';
import { EatDmlError } from '../errors.js';
import { type Embedder, layersOf } from './embedder.js';
import { evaluated } from './norm-sets.js';
import { chain, Naming, type Symbolic, type Values } from './tfjs-chain.js';

/**
 * Embedders of the same images as one model of layers that tfjs has: from images [n, h, w, c] in [0, 1] to what an ensemble of
 * them embeds, concat_i f_i(x) / sqrt(N). Its weights are copies, called as the embedders call them behind member-0/ and so on.
 *
 * @throws EatDmlError ERR_ARGUMENT where a member is not described by layers, or is one of several that give features as they are.
 */
export function toLayersModel(members: readonly Embedder[]): tf.LayersModel {
  const input = tf.input({ shape: [...members[0].inputShape], name: 'images' });
  const values: Values = new Map();
  const ends = members.map((member, i) => {
    const layers = layersOf(members, i);
    if (member.unitNorm === false && members.length > 1) {
      throw new EatDmlError('ERR_ARGUMENT', `Expected members of unit rows but received features of members[${i}].`);
    }
    const named = new Naming(`member-${i}/`, values);
    for (const [name, value] of evaluated(member).weights) values.set(named.of(name), value);
    const end = chain(named, layers, input);
    const { unitNorm, heads = 1 } = member;
    return unitNorm === false ? end : unitRows(named, end, { heads, length: 1 / Math.sqrt(members.length) }, values);
  });
  const outputs = ends.length === 1 ? ends[0] : (tf.layers.concatenate({ name: 'embedding' }).apply(ends) as Symbolic);
  const model = tf.model({ inputs: input, outputs, name: 'eat-dml' });
  tf.tidy(() => {
    for (const weight of model.weights) {
      const value = values.get(weight.originalName);
      if (value) weight.write(Array.isArray(value) ? tf.tensor(value, weight.shape as number[]) : value);
    }
  });
  return model;
}

/**
 * Rows scaled to length `length`, each head's columns alike, by layers that tfjs has. Layer normalisation of a head's [y, -y],
 * whose mean is 0, gives sqrt(d) y / |y| and its negative; a convolution over pairs makes the one of the other, another keeps the
 * first. All heads' d columns together are as long as sqrt(d heads), the root of all columns.
 */
function unitRows(named: Naming, y: Symbolic, of: { heads: number; length: number }, values: Values): Symbolic {
  const { heads, length } = of;
  const columns = y.shape[1]!;
  const pairs = (name: string, filters: number, kernel: number[], x: Symbolic) => {
    values.set(named.of(`${name}/kernel`), kernel);
    return tf.layers
      .conv1d({ filters, kernelSize: 1, useBias: false, kernelInitializer: 'zeros', name: named.of(name) })
      .apply(x) as Symbolic;
  };
  const shaped = (targetShape: number[], x: Symbolic) =>
    tf.layers.reshape({ targetShape, name: named.next('reshape') }).apply(x) as Symbolic;
  const both = pairs('unit-pairs', 2, [1, -1], shaped([columns, 1], y));
  // With a scale of 1 and a centre of 0: without them tfjs cannot take its gradient.
  const norm = tf.layers.layerNormalization({ epsilon: 1e-24, name: named.of('unit-norm') });
  const scaled = norm.apply(shaped([heads, (2 * columns) / heads], both)) as Symbolic;
  const first = pairs('unit-scale', 1, [length / Math.sqrt(columns), 0], shaped([columns, 2], scaled));
  return shaped([columns], first);
}
