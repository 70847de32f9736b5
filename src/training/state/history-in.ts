import type { TrainingHistory } from '../trained-ensemble.js';
import { recorded } from './record.js';

/** What the record of a checkpoint holds of the run's history, to be shown; undefined where it is none of ours. */
export function historyIn(
  record: unknown,
): Pick<TrainingHistory, 'losses' | 'learningRates' | 'validations'> | undefined {
  const parsed = recorded.safeParse(record);
  if (!parsed.success) return undefined;
  const { losses, learningRates, validations } = parsed.data.position;
  return { losses, learningRates, ...(validations && { validations }) };
}
