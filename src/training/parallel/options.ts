import { z } from 'zod';
import { checkSyncGroup, type SyncGroup } from '../../distributed/group.js';
import { single } from '../../distributed/index.js';
import { EatDmlError, invalid } from '../../errors.js';
import { count } from '../../options.js';

const isGroup = (value: unknown): boolean => {
  try {
    checkSyncGroup(value);
    return true;
  } catch {
    return false;
  }
};

/** How several ranks train together, as a schema. */
export const distributed = z.strictObject({
  group: z
    .custom<SyncGroup>(isGroup, 'a group of initDistributed or single')
    .describe('the ranks, all of which train with the same options'),
  shards: count
    .optional()
    .describe(
      'pieces that a member’s images are cut into in an update, whose gradients are summed in a fixed order: runs of as many shards have ' +
        'the same bits on any number of ranks (default as many as ranks share a member)',
    ),
  memberGroups: count
    .default(1)
    .describe(
      'groups of ranks, each of which updates its own members (default 1: all ranks share the rows of each member)',
    ),
});

export type DistributedOptions = z.input<typeof distributed>;
export type Distributed = Required<z.output<typeof distributed>>;

/** With every default filled in. ERR_ARGUMENT where the ranks cannot be dealt out so. */
export function filledDistributed(
  { group, shards, memberGroups }: z.output<typeof distributed>,
  { method: { members }, microBatch }: { method: { members: number }; microBatch?: number },
): Distributed {
  const at = 'distributed.memberGroups';
  if (memberGroups > members) throw invalid(at, `at most the ${members} members of the method`, memberGroups);
  if (group.size % memberGroups !== 0) throw invalid(at, `a divisor of the ${group.size} ranks`, memberGroups);
  const ranks = group.size / memberGroups;
  if (shards !== undefined && shards < ranks)
    throw invalid('distributed.shards', `at least the ${ranks} ranks that share a member`, shards);
  if (microBatch !== undefined) {
    throw new EatDmlError(
      'ERR_ARGUMENT',
      `Expected no microBatch in distributed training but received ${microBatch}.`,
      {
        hint: 'More shards than ranks do the same: a rank has one shard in its network at a time.',
      },
    );
  }
  return { group, shards: shards ?? ranks, memberGroups };
}

/** The group that options name, before they are read: what is wrong with them is then told to all of it. */
export function groupIn(options: unknown): SyncGroup {
  const { distributed } = (options ?? {}) as { distributed?: { group?: unknown } };
  const group = distributed?.group;
  return isGroup(group) ? (group as SyncGroup) : single();
}
