import type { TrainingAttack } from '../craft.js';
import type { Method } from '../method.js';
import { ensembleAt } from './ensemble-at.js';

export interface AtOptions {
  attack: TrainingAttack;
}

/** Adversarial training of one model (Madry et al., 2018): every image is replaced by PGD's worst on the metric loss. */
export function at({ attack }: AtOptions): Method {
  const single = ensembleAt({ members: 1, attack });
  return { ...single, config: { ...single.config, name: 'at' } };
}
