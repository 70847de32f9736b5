import { z } from 'zod';
import { part } from '../../part.js';
import { type Scores, UNDEFINED } from '../scores.js';
import type { Protocol } from './protocol.js';

/** The whole attacked set is clustered, and searched as queries in the clean gallery. */
const transductive: Protocol<{ scores: Scores }> = async () => ({
  attacked: async (set) => ({ scores: await set.scores() }),
  notRun: { scores: UNDEFINED },
});

export const transductivePart = part(
  'transductive',
  'the attacked set is clustered, and searched in the clean gallery (always)',
  z.strictObject({}),
  () => transductive,
);
