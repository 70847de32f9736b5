import { bestFolder, type LockedFolder, saveCheckpoint } from '../../checkpoints/index.js';
import { makeFolder } from '../../files.js';
import type { Settings } from '../options.js';
import type { Position } from '../state/record.js';
import type { TrainingState } from '../state/restore-state.js';
import { shown } from '../state/trainee.js';
import type { ValidationMetric } from './options.js';

/** The epoch with the highest score, the first of equals. */
export interface BestEpoch {
  epoch: number;
  metric: ValidationMetric;
  score: number;
}

type Validations = NonNullable<Position['validations']>;
type Given = Pick<NonNullable<Settings['validation']>, 'metric' | 'patience'>;

/** The best of the validations so far, if there are any. */
export function bestOf(validations: Validations, { metric }: Given): BestEpoch | undefined {
  return validations.reduce<BestEpoch | undefined>((best, { epoch, scores }) => {
    const score = scores[metric]!;
    return best && best.score >= score ? best : { epoch, metric, score };
  }, undefined);
}

/** Whether as many validations as the patience have passed since the best one. */
export function isOver(validations: Validations, given: Given): boolean {
  const best = bestOf(validations, given);
  if (!best || given.patience === undefined) return false;
  return validations.filter(({ epoch }) => epoch > best.epoch).length >= given.patience;
}

/** Saves the members as they are, to be loaded and measured, below the folder of the run; in one piece or not at all. */
export async function saveBest(
  runFolder: LockedFolder,
  settings: Settings,
  { trainees, position, trainedOn, run }: TrainingState,
  best: BestEpoch,
): Promise<void> {
  const folder = bestFolder(runFolder);
  makeFolder(folder.dir);
  const members = trainees.map(shown);
  await saveCheckpoint(folder, position.step, {
    model: settings.model,
    members: members.map(({ embedder }) => embedder),
    tensors: Object.fromEntries(members.map(({ proxies }, i) => [`${i}/proxies`, proxies])),
    ...{ trainedOn, run, record: { best } },
  });
}
