import { classesOf, type ReadOptions, type Source } from '../data/index.js';
import { digestsOf } from '../data/source.js';
import { EatDmlError } from '../errors.js';
import type { Ensemble, TrainedOn } from '../models/index.js';

/** How many of the evaluated images and classes the ensemble was trained on. */
export interface Seen {
  images: number;
  classes: number;
}

/**
 * ERR_DATA where the ensemble is known to have learnt from images of `data`, or from its classes where it was trained on one
 * side of a zero-shot split. The other side of a split is never refused: what the split says holds, and published sets hold
 * exact copies. Classes count as the same where the data set has the same name: in another its labels mean other things.
 * With `allowSeen` what would be refused is counted instead.
 */
export async function checkUnseen(
  { trainedOn }: Ensemble,
  data: Source,
  { allowSeen, signal }: ReadOptions & { allowSeen: boolean },
): Promise<Seen | undefined> {
  if (!trainedOn || onOtherSide(trainedOn, data)) return undefined;
  const images = await countImages(trainedOn, data, signal);
  const classes = trainedOn.dataset === data.name ? countClasses(trainedOn, data) : 0;
  const zeroShot = trainedOn.splits.at(-1)?.kind === 'zero-shot';
  if (images === 0 && !(zeroShot && classes > 0)) return undefined;
  if (allowSeen) return { images, classes };
  const seen = `${images} of its ${data.labels.length} images and ${classes} of its ${classesOf(data).length} classes`;
  throw new EatDmlError('ERR_DATA', `Expected ${data.name} to be unseen but the ensemble was trained on ${seen}.`, {
    hint: 'Evaluate the other side of the split, or say that seen data are meant: allowSeen, --allow-seen.',
  });
}

/** True where a split kept `data` away from what was trained on. */
function onOtherSide({ splits }: TrainedOn, data: Source): boolean {
  return splits.some(({ id, side }) => data.splits?.some((other) => other.id === id && other.side !== side));
}

async function countImages({ images }: TrainedOn, data: Source, signal?: AbortSignal): Promise<number> {
  const seen = new Set(images);
  return (await digestsOf(data, { signal })).filter((digest) => seen.has(digest)).length;
}

function countClasses({ classes }: TrainedOn, data: Source): number {
  return classesOf(data).filter((label) => classes.includes(label)).length;
}
