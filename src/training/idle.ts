import * as tf from '#tf';
import { EatDmlError } from '../errors.js';
import type { MetricLoss } from '../losses/index.js';
import { look } from '../tfjs/index.js';
import type { Settings } from './options.js';

/** An epoch in which members had no gradient in any step, and so learnt nothing. */
export interface IdleEpoch {
  /** The first is 1. */
  epoch: number;
  members: number[];
}

const REMEDY = 'Set batch to {classes, images} with at least 2 images of a class.';

/** Has `found` called where any value of any gradient is not zero. */
export function lookForGradient(gradients: tf.NamedTensorMap, found: () => void): void {
  const each = Object.values(gradients).map((gradient) => tf.any(tf.notEqual(gradient, 0)));
  if (each.length === 0) return;
  const any = each.reduce((a, b) => tf.logicalOr(a, b));
  look(any, ([one]) => {
    if (one !== 0) found();
  });
}

/** One sentence on what an epoch did not teach, and what to do. */
export function idleWarning({ epoch, members }: IdleEpoch, { method, loss }: Settings, mean: number): string {
  const whom = members.length === method.members ? 'nothing' : `nothing to member ${members.join(', ')}`;
  const what = `Epoch ${epoch} taught ${whom}: every gradient of every step was zero (mean loss ${mean.toFixed(3)}).`;
  return loss.overPairs
    ? `${what} The loss ${loss.config.name} learns from pairs of one class in a batch. ${REMEDY}`
    : `${what} The loss is flat where the model is: lower the learning rate, or look at the data.`;
}

/** ERR_ARGUMENT where the loss is one over pairs and no batch can ever hold two images of a class for some member or head. */
export function checkPairs(
  { loss, batch }: Settings,
  labels: Int32Array,
  parts: readonly Int32Array[],
  learner: 'member' | 'head',
): void {
  if (!loss.overPairs) return;
  const most = 'classes' in batch ? batch.images : batch.size;
  if (most < 2) throw noPairs(loss, `batches of one image${'classes' in batch ? ' of a class' : ''}`);
  for (const [i, part] of parts.entries()) {
    if (new Set(part.map((sample) => labels[sample])).size === part.length) {
      throw noPairs(loss, `data in which ${learner} ${i} sees one image of each class`);
    }
  }
}

function noPairs({ config }: MetricLoss, received: string): EatDmlError {
  const expected = `two images of a class in a batch for the loss ${config.name}`;
  return new EatDmlError('ERR_ARGUMENT', `Expected ${expected} but received ${received}.`, { hint: REMEDY });
}
