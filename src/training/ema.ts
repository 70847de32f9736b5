import * as tf from '#tf';
import { checkEmbedder } from '../models/embedder.js';
import type { ModelSpec } from '../models/index.js';
import type { Member } from './method.js';

/** Every variable of a member, running statistics and proxies too, in the order of its model. */
function variablesOf({ embedder, proxies }: Member): tf.Variable[] {
  return [...embedder.weights.values(), proxies];
}

/** A member of its own that is as `member` is now: where its moving average begins. The caller disposes it. */
export function averageOf(model: ModelSpec, { embedder, proxies }: Member): Member {
  const copy = model.build(embedder.inputShape, 0);
  checkEmbedder('model.build(shape, seed)', copy);
  const average = { embedder: copy, proxies: tf.tidy(() => tf.variable(tf.clone(proxies))) };
  const values = variablesOf({ embedder, proxies });
  for (const [i, variable] of variablesOf(average).entries()) variable.assign(values[i]);
  return average;
}

/** One step of the moving average: a + (1 - decay) (w - a), of every variable; one that does not move keeps its bits. */
export function follow(average: Member, member: Member, decay: number): void {
  const now = variablesOf(member);
  tf.tidy(() => {
    for (const [i, variable] of variablesOf(average).entries()) {
      variable.assign(tf.add(variable, tf.mul(tf.sub(now[i], variable), 1 - decay)));
    }
  });
}
