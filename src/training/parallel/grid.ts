import { type SyncGroup, single } from '../../distributed/index.js';
import { EatDmlError } from '../../errors.js';
import { readsAtOnce } from '../../tfjs/index.js';
import type { Member } from '../method.js';
import type { Cut } from './exchange-rows.js';
import type { Distributed } from './options.js';
import { worksByBatch } from './sharded-embedder.js';

/** The ranks that train together: teams, each of which updates its own members and shares their rows. Alone it is one of one. */
export interface Grid {
  /** All ranks. */
  readonly world: SyncGroup;
  /** One rank of each team, this one among them, in the order of teams. */
  readonly across: SyncGroup;
  /** Which team is this rank's, of `teams`. */
  readonly team: number;
  readonly teams: number;
  /** How a team shares the rows of a member in an update. */
  readonly ofMember: Cut;
  /** How all ranks share the rows of what images are crafted by. */
  readonly ofAll: Cut;
}

const one: Cut = { group: single(), shards: 1 };
export const ALONE: Grid = { world: single(), across: single(), team: 0, teams: 1, ofMember: one, ofAll: one };

/** The grid that the options ask for. */
export async function gridOf(options: Distributed | undefined): Promise<Grid> {
  if (!options || (options.group.size === 1 && options.shards === 1)) return ALONE;
  const { group: world, shards, memberGroups: teams } = options;
  const ranks = world.size / teams;
  const team = Math.floor(world.rank / ranks);
  const ofAll = { group: world, shards: world.size };
  if (teams === 1) return { world, across: single(), team, teams, ofAll, ofMember: { group: world, shards } };
  const group = await world.split(team);
  const across = await world.split(world.rank % ranks);
  return { world, across, team, teams, ofAll, ofMember: { group, shards } };
}

/** What the method left for the next step, of each member by the team that updated it. */
export async function shareMemory({ across, team, teams }: Grid, memory: (number | null)[]): Promise<void> {
  if (teams === 1) return;
  const own = Float64Array.from(memory, (value) => value ?? Number.NaN);
  const told = await across.allGather(own);
  const length = told.reduce((most, all) => Math.max(most, all.length), 0);
  for (let i = 0; i < length; i++) {
    const value = told[i % teams][i];
    if (i % teams !== team && value !== undefined) memory[i] = Number.isNaN(value) ? null : value;
  }
}

/** ERR_ARGUMENT or ERR_BACKEND where what is to be trained cannot be shared so. */
export function checkShareable(grid: Grid, members: readonly Member[]): void {
  if (grid.world.size > 1 && !readsAtOnce()) {
    const message = 'Expected a backend whose values can be read at once for distributed training.';
    throw new EatDmlError('ERR_BACKEND', message, { hint: 'Train with the backend native or tensorflow.' });
  }
  const { group, shards } = grid.ofMember;
  if (shards === 1) return;
  const byBatch = members.map(({ embedder }) => embedder).filter(worksByBatch);
  const gathers = shards === group.size && byBatch.every(({ layers }) => layers !== undefined);
  if (byBatch.length === 0 || gathers) return;
  throw new EatDmlError(
    'ERR_ARGUMENT',
    `Expected a model whose batch normalisation is frozen for ${shards} shards on ${group.size} ranks, but its statistics are those of a batch.`,
    {
      hint: 'Set frozenBatchNorm in the model, or as many shards as ranks share a member, which then tell one another theirs.',
    },
  );
}
