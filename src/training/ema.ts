import * as tf from '@tensorflow/tfjs';
import { checkEmbedder } from '../models/embedder.js';
import type { Embedder, ModelSpec } from '../models/index.js';
import type { Member } from './method.js';

/** Every variable of a member, running statistics and proxies too, in the order of its model. */
function variablesOf({ embedder, proxies }: Member): tf.Variable[] {
  return [...embedder.weights.values(), proxies];
}

/** A network of the model whose variables have the values of another's. The caller disposes it. */
export function copyOf(model: ModelSpec, embedder: Embedder, values: readonly tf.Tensor[]): Embedder {
  const copy = model.build(embedder.inputShape, 0);
  checkEmbedder('model.build(shape, seed)', copy);
  for (const [i, variable] of [...copy.weights.values()].entries()) variable.assign(values[i]);
  return copy;
}

/** A member of its own that is as `member` is now: where its moving average begins. The caller disposes it. */
export function averageOf(model: ModelSpec, member: Member): Member {
  const embedder = copyOf(model, member.embedder, [...member.embedder.weights.values()]);
  return { embedder, proxies: tf.tidy(() => tf.variable(tf.clone(member.proxies))) };
}

/** One step of the moving average: a = decay a + (1 - decay) w, of every variable. */
export function follow(average: Member, member: Member, decay: number): void {
  const now = variablesOf(member);
  tf.tidy(() => {
    for (const [i, variable] of variablesOf(average).entries()) {
      variable.assign(tf.add(tf.mul(variable, decay), tf.mul(now[i], 1 - decay)));
    }
  });
}
