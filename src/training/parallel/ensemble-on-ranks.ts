import { checkSyncGroup } from '../../distributed/group.js';
import type { SyncGroup } from '../../distributed/index.js';
import { sharingAmong } from '../../distributed/sharing-among.js';
import { invalid } from '../../errors.js';
import { checkEmbedder, embedderWith } from '../../models/embedder.js';
import type { Ensemble } from '../../models/index.js';
import { SharedEnsemble } from '../../models/shared-ensemble.js';
import { sharded } from './sharded-embedder.js';

/**
 * The ensemble, of whose images each rank of the group puts its own through the networks, forward and back; all ranks have all
 * embeddings and gradients, on the backend `native` with the bits of one rank. To embed and to evaluate with: every rank calls the same on
 * the same images, and has the same result. An evaluation shares clustering and search, too: starts of k-means, queries. It frees nothing;
 * the ensemble stays the caller's.
 *
 * @throws EatDmlError ERR_ARGUMENT where the group or the ensemble is none.
 */
export function ensembleOnRanks(group: SyncGroup, ensemble: Ensemble): Ensemble {
  checkSyncGroup(group);
  const { members, trainedOn } = (ensemble ?? {}) as Partial<Ensemble>;
  if (!Array.isArray(members)) throw invalid('ensemble', 'an ensemble', ensemble);
  const cut = { group, shards: group.size };
  const shared = members.map((member, i) => {
    checkEmbedder(`ensemble.members[${i}]`, member);
    return embedderWith(sharded(member, cut), { dispose: () => {} });
  });
  return new SharedEnsemble(shared, trainedOn, sharingAmong(group));
}
