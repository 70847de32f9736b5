import { basename, dirname } from 'node:path';
import { BEST, readRecord } from '../checkpoints/index.js';
import type { PageHistory } from '../report/index.js';
import { historyIn } from '../training/state/history-in.js';

/** How the run in a folder was trained, as far as its checkpoint tells; of the best epoch's it is the run around it that tells. */
export async function runHistory(run: string): Promise<PageHistory | undefined> {
  const folder = basename(run) === BEST ? dirname(run) : run;
  return historyIn(await readRecord(folder).catch(() => undefined));
}
