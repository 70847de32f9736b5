import { z } from 'zod';
import { part } from '../../part.js';
import { scoresOf, UNDEFINED } from '../scores.js';
import type { Protocol } from './protocol.js';

/** The whole attacked set is clustered, and searched as queries in the clean gallery. */
const transductive: Protocol = async ({ data, gallery, scoring }) => ({
  attacked: async (embeddings) => ({ scores: await scoresOf(embeddings, data.labels, gallery, scoring) }),
  notRun: { scores: UNDEFINED },
});

export const transductivePart = part(
  'transductive',
  'the attacked set is clustered, and searched in the clean gallery (always)',
  z.strictObject({}),
  () => transductive,
);
