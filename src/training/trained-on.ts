import { classesOf } from '../data/index.js';
import { digestsOf, type ReadOptions, type Source } from '../data/source.js';
import type { TrainedOn } from '../models/index.js';

/** What an ensemble that is trained on `data` will have seen. */
export async function trainedOn(data: Source, options: ReadOptions): Promise<TrainedOn> {
  return {
    dataset: data.name,
    hash: await data.hash(options),
    classes: [...classesOf(data)],
    splits: data.splits ?? [],
    images: await digestsOf(data, options),
  };
}
