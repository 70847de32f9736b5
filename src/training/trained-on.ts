import { classesOf } from '../data/index.js';
import { digestsOf, type ReadOptions, type Source } from '../data/source.js';
import type { LongWork } from '../long-work.js';
import type { TrainedOn } from '../models/index.js';

/** What reading the images may be told. */
interface Reading extends ReadOptions {
  onHash?: LongWork['onProgress'];
}

/** What an ensemble that is trained on `data` will have seen; `chosenOn` too, by which its epoch is chosen. */
export async function trainedOn(data: Source, { signal, onHash }: Reading, chosenOn?: Source): Promise<TrainedOn> {
  const learnt = await learntFrom(data, { signal, onHash });
  if (!chosenOn) return learnt;
  const images = [...learnt.images, ...(await digestsOf(chosenOn, { signal }))];
  const classes = [...new Set([...learnt.classes, ...classesOf(chosenOn)])].sort((a, b) => a - b);
  return { ...learnt, classes, images: BigUint64Array.from(images) };
}

async function learntFrom(data: Source, { signal, onHash }: Reading): Promise<TrainedOn> {
  return {
    dataset: data.name,
    hash: await data.hash({ signal, onProgress: onHash }),
    classes: [...classesOf(data)],
    splits: data.splits ?? [],
    images: await digestsOf(data, { signal }),
  };
}
