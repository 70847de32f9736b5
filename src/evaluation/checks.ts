import type { Dataset, Source } from '../data/index.js';
import { checkSource } from '../data/source.js';
import { invalid } from '../errors.js';
import { checkUnitNorm } from '../models/embedder.js';
import type { Ensemble } from '../models/index.js';
import { parse } from '../options.js';
import { ensembleValue } from './options.js';

/** What may be given beside the evaluated data. */
type Beside = { [name in 'reference' | 'gallery']?: Source | Dataset };

/** Throws unless `ensemble` is one, and its images are those of `data` and of what is given beside them. */
export function checkEvaluated(ensemble: Ensemble, data: Source | Dataset, beside: Beside = {}): void {
  const { inputShape, members } = parse(ensembleValue, ensemble, 'ensemble');
  for (const [i, member] of members.entries()) checkUnitNorm(`ensemble.members[${i}]`, member);
  checkSource('data', data);
  for (const [name, set] of Object.entries({ data, ...beside })) {
    if (!set || String(set.shape) === String(inputShape)) continue;
    throw invalid(`${name}.shape`, `the ensemble's [${inputShape.join(', ')}]`, set.shape);
  }
}
