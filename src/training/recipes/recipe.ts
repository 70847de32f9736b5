import { z } from 'zod';
import type { ModelSpec } from '../../models/index.js';
import { part } from '../../part.js';
import type { LoopOptions } from '../loop-options.js';

/** What a recipe is asked about: published ones differ from set to set, and from network to network. */
export interface Trained {
  /** Name of the data set: `cub200`. */
  data: string;
  model: Pick<ModelSpec, 'kind'>;
}

/** A named set of options; what the caller gives goes before it. */
export interface Recipe {
  /** Of the training loop. */
  loop(of: Trained): LoopOptions;
  /** Of the network, where it has such: a configuration takes them, as code gives its model itself. */
  model(of: Trained): Readonly<Record<string, string | boolean>>;
}

const noOptions = z.strictObject({});

/** A recipe, as a part. */
export function recipePart<const Name extends string>(name: Name, title: string, recipe: Recipe) {
  return part(name, title, noOptions, () => recipe);
}
