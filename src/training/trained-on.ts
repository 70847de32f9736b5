import { classesOf } from '../data/index.js';
import { digestsOf, type ReadOptions, type Source } from '../data/source.js';
import type { TrainedOn } from '../models/index.js';

/** What an ensemble that is trained on `data` will have seen; `chosenOn` too, by which its epoch is chosen. */
export async function trainedOn(data: Source, { signal }: ReadOptions, chosenOn?: Source): Promise<TrainedOn> {
  const learnt = await learntFrom(data, { signal });
  if (!chosenOn) return learnt;
  const images = [...learnt.images, ...(await digestsOf(chosenOn, { signal }))];
  const classes = [...new Set([...learnt.classes, ...classesOf(chosenOn)])].sort((a, b) => a - b);
  return { ...learnt, classes, images: BigUint64Array.from(images) };
}

async function learntFrom(data: Source, { signal }: ReadOptions): Promise<TrainedOn> {
  return {
    dataset: data.name,
    hash: await data.hash({ signal }),
    classes: [...classesOf(data)],
    splits: data.splits ?? [],
    images: await digestsOf(data, { signal }),
  };
}
