import { z } from 'zod';
import { parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { attackOption } from '../craft.js';
import type { Method } from '../method.js';
import { ensembleAt } from './ensemble-at.js';

export const atOptions = z.strictObject({ attack: attackOption });

/** Options of {@link at}. */
export type AtOptions = z.input<typeof atOptions>;

/**
 * Adversarial training of one model (Madry et al., 2018): every image is replaced by PGD's worst on the metric loss.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 *
 * @example
 * ```ts
 * import { at, convEmbedder, openData, train } from 'eat-dml';
 *
 * const { train: seen } = await openData('folder', { root: 'photos', transform: { resize: 36, crop: 32 }, sides: ['train'] });
 * const method = at({ attack: { norm: 'linf', epsilon: 8 / 255, steps: 5 } });
 * const network = await train({ data: seen, model: convEmbedder({ width: 8 }), method, epochs: 2, seed: 1 });
 * console.log(network.history.gradientEvaluations);
 * ```
 */
export function at(options: AtOptions): Method {
  const { attack } = parseOptions(atOptions, options);
  const single = ensembleAt({ members: 1, attack });
  return { ...single, config: { ...single.config, name: atPart.name } };
}

export const atPart = part('at', 'adversarial training of one network (Madry et al., ICLR 2018)', atOptions, at);
