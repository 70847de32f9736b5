import { EatDmlError } from '../errors.js';
import { convEmbedder } from './conv-embedder.js';
import type { ModelSpec } from './embedder.js';

const KINDS: Record<string, (config: Record<string, number>) => ModelSpec> = { conv: convEmbedder };

/** The specification that a checkpoint or a configuration names by kind; ERR_CONFIG when this package has no such kind. */
export function modelOfKind(kind: string, config: Record<string, number>): ModelSpec {
  if (!Object.hasOwn(KINDS, kind)) {
    const known = Object.keys(KINDS).join(', ');
    throw new EatDmlError('ERR_CONFIG', `Expected a model kind among ${known} but received "${kind}".`, {
      hint: 'Pass the model specification that trained it as `model`.',
    });
  }
  return KINDS[kind](config);
}
