import { z } from 'zod';
import { parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { attackOption } from '../craft.js';
import type { Method } from '../method.js';
import { ensembleAt } from './ensemble-at.js';

export const atOptions = z.strictObject({ attack: attackOption });

export type AtOptions = z.input<typeof atOptions>;

/** Adversarial training of one model (Madry et al., 2018): every image is replaced by PGD's worst on the metric loss. */
export function at(options: AtOptions): Method {
  const { attack } = parseOptions(atOptions, options);
  const single = ensembleAt({ members: 1, attack });
  return { ...single, config: { ...single.config, name: atPart.name } };
}

export const atPart = part('at', 'adversarial training of one network (Madry et al., ICLR 2018)', atOptions, at);
