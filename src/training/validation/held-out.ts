import { classesOf, type Source, sourceOf } from '../../data/index.js';
import { splitByClass } from '../../data/splits.js';
import { EatDmlError } from '../../errors.js';
import { randomStream } from '../../random.js';
import type { Settings } from '../options.js';
import { heldShare } from './options.js';

/** What is learnt from, and what it is validated on, if it is. */
export interface TrainingSides {
  learnt: Source;
  held?: Source;
}

/** Data of one's own that an epoch is chosen by: an evaluation of them would flatter. */
export function chosenOn({ validation }: Pick<Settings, 'validation'>): Source | undefined {
  return validation?.data && sourceOf(validation.data);
}

/** The data cut by class, at random from the seed of the run, where no other data are to validate on. */
export function trainingSides({
  data,
  validation,
  seed,
}: Pick<Settings, 'data' | 'validation' | 'seed'>): TrainingSides {
  if (!validation) return { learnt: data };
  const sides = validation.data
    ? { learnt: data, held: sourceOf(validation.data) }
    : cut(data, heldShare(validation), seed);
  checkHeld(sides.held, data);
  return sides;
}

function cut(data: Source, share: number, seed: number) {
  const classes = classesOf(data);
  const held = Math.min(Math.max(1, Math.round(share * classes.length)), classes.length - 1);
  const order = randomStream(seed, 'validation-classes').permutation(classes.length);
  const trainClasses = Array.from(order.subarray(held), (at) => classes[at]);
  const { train, test } = splitByClass(data, { trainClasses });
  return { learnt: train, held: test };
}

/** ERR_DATA where nothing could be found, or the images are of another size. */
function checkHeld({ name, labels, shape }: Source, data: Source): void {
  if (shape.join() !== data.shape.join()) {
    throw new EatDmlError('ERR_DATA', `Expected images [${data.shape}] to validate on but ${name} has [${shape}].`);
  }
  if (new Set(labels).size < labels.length) return;
  throw new EatDmlError('ERR_DATA', `Expected two images of a class to validate on but ${name} has one of each.`);
}
