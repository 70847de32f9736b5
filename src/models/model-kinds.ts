import { describe, EatDmlError } from '../errors.js';
import type { ModelSpec } from './embedder.js';
import { MODELS } from './list.js';

/** The specification that a checkpoint or a configuration names by kind; ERR_CONFIG when this package has no such kind. */
export function modelOfKind(kind: string, config: Record<string, number>): ModelSpec {
  const found = MODELS.find(({ name }) => name === kind);
  if (found) return found.make(config);
  const known = MODELS.map(({ name }) => name).join(', ');
  throw new EatDmlError('ERR_CONFIG', `Expected a model kind among ${known} but received ${describe(kind)}.`, {
    hint: 'Pass the model specification that trained it as `model`.',
  });
}
