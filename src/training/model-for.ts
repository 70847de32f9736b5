import { EatDmlError } from '../errors.js';
import type { ModelSpec } from '../models/index.js';
import type { Method } from './method.js';

/**
 * The model that a method trains: with as many heads as it learns by, and with two sets of batch normalisations where it learns by
 * two; `recompute`: one that keeps less for gradients. ERR_ARGUMENT where one of them does not go with the other.
 */
export function modelFor(model: ModelSpec, method: Method, recompute = false): ModelSpec {
  const fitting = withSets(withHeads(model, method), method);
  return recompute ? recomputing(fitting) : fitting;
}

function recomputing(model: ModelSpec): ModelSpec {
  if (model.recomputing) return model.recomputing();
  const message = `Expected a network of blocks, such as resnet50, to recompute but received ${model.kind}.`;
  const hint = 'Leave out recompute; microBatch saves memory with any model.';
  throw new EatDmlError('ERR_ARGUMENT', message, { hint });
}

function withHeads(model: ModelSpec, { config, heads = 1 }: Method): ModelSpec {
  if (heads === 1 || model.config.heads === heads) return model;
  if (model.withHeads && model.config.heads === undefined) return model.withHeads(heads);
  const message = `Expected a model of ${heads} heads for the method ${config.name} but received ${model.kind}`;
  throw new EatDmlError('ERR_ARGUMENT', `${message} with ${model.config.heads ?? 1}.`, {
    hint: 'Networks of this package have as many heads as a method asks for, where their options say nothing of heads.',
  });
}

function withSets(model: ModelSpec, { config, batchNorm }: Method): ModelSpec {
  if (batchNorm === 'split') {
    if (model.split) return model.split();
    const message = `Expected batchNorm shared of the method ${config.name} for the model ${model.kind} but received split`;
    throw new EatDmlError('ERR_ARGUMENT', `${message}.`, {
      hint: 'Networks of this package have two sets of batch normalisations, where they have any; one of another’s has its own alone.',
    });
  }
  if (model.config.batchNorm !== 'split') return model;
  const message = `Expected batchNorm shared of the model ${model.kind} for the method ${config.name}, which fills one set alone,`;
  throw new EatDmlError('ERR_ARGUMENT', `${message} but received split.`);
}
