import { z } from 'zod';
import { part } from '../../part.js';
import type { MeasuredSet } from '../measured-set.js';
import { type Scores, UNDEFINED } from '../scores.js';
import type { Protocol } from './protocol.js';

/** The whole attacked set is clustered, and searched as queries in the clean gallery. */
export const transductive = async () => ({
  attacked: async (set: MeasuredSet) => ({ scores: await set.scores() }),
  notRun: { scores: UNDEFINED },
});

export const transductivePart = part(
  'transductive',
  'the attacked set is clustered, and searched in the clean gallery (always)',
  z.strictObject({}),
  (): Protocol<{ scores: Scores }> => transductive,
);
