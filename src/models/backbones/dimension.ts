import type { z } from 'zod';
import { invalid } from '../../errors.js';
import { count } from '../../options.js';

/** The option of every backbone that says how many columns its embedding has, with its default. */
export function dimensionShape(columns: number) {
  return {
    dimension: count.default(columns).describe('columns of the embedding'),
    embedding: count.optional().describe('the same, by the name that it had before'),
  };
}

type Options = z.ZodObject<ReturnType<typeof dimensionShape>>;

/** The number of columns that options ask for, under either name. */
export function dimensionOf(options: Options, { dimension, embedding = dimension }: z.output<Options>): number {
  const byDefault = options.shape.dimension.parse(undefined);
  if (embedding === dimension || dimension === byDefault) return embedding;
  throw invalid('embedding', `the ${dimension} of dimension, whose former name it is,`, embedding);
}
