import { initDistributed, type SyncGroup, single } from '../distributed/index.js';
import { together } from '../distributed/together.js';
import { EatDmlError } from '../errors.js';
import type { Ensemble } from '../models/index.js';
import { ensembleOnRanks, type TrainOptions } from '../training/index.js';

export interface RankFlags {
  distributed?: boolean;
  /** Of a training. */
  shards?: number;
  memberGroups?: number;
}

/** What a command of several ranks needs to know. */
export interface Ranks {
  /** All of them; absent where the flags ask for none. */
  group?: SyncGroup;
  /** Of a training; absent likewise. */
  distributed?: TrainOptions['distributed'];
  /** It alone speaks and writes. */
  isFirst: boolean;
}

/**
 * Runs the work of a command by all ranks of its launcher, where its flags ask for that, and ends with them. What fails on one rank alone
 * ends the others, too: the next operation of theirs is another than its last.
 */
export async function onRanks<T>(flags: RankFlags, work: (ranks: Ranks) => Promise<T>): Promise<T> {
  const { distributed, shards, memberGroups } = flags;
  if (!distributed && memberGroups !== undefined) {
    const hint = 'Start the ranks by mpirun, with --distributed.';
    throw new EatDmlError('ERR_CONFIG', 'Expected --distributed with --member-groups.', { hint });
  }
  if (!distributed && shards === undefined) return work({ isFirst: true });
  const group: SyncGroup = distributed ? await initDistributed({ strict: true }) : single();
  try {
    const result = await work({ group, distributed: { group, shards, memberGroups }, isFirst: group.rank === 0 });
    await group.finalize();
    return result;
  } catch (error) {
    await group.finalize().catch(() => undefined);
    throw error;
  }
}

/** The ensemble, whose images the ranks share; as it is where there is one. */
export function sharedBy({ group }: Ranks): (ensemble: Ensemble) => Ensemble {
  return (ensemble) => (group ? ensembleOnRanks(group, ensemble) : ensemble);
}

/** Does what may fail on one rank alone: it is then told on all of them. */
export function onAll<T>({ group }: Ranks, work: () => Promise<T>): Promise<T> {
  return group ? together(group, work) : work();
}
