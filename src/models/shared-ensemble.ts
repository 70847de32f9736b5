import { ALONE, type Sharing } from '../sharing.js';
import type { Embedder } from './embedder.js';
import { Ensemble } from './ensemble.js';
import type { TrainedOn } from './trained-on.js';

/** An ensemble on ranks, who also share what is done with its embeddings. */
export class SharedEnsemble extends Ensemble {
  constructor(
    members: readonly Embedder[],
    trainedOn: TrainedOn | undefined,
    readonly sharing: Sharing,
  ) {
    super(members, trainedOn);
  }
}

/** Who shares the clustering and search of what it embeds. */
export function sharingOf(ensemble: Ensemble): Sharing {
  return ensemble instanceof SharedEnsemble ? ensemble.sharing : ALONE;
}
