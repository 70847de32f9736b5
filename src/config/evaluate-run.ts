import { loadEnsemble } from '../checkpoints/index.js';
import type { Source } from '../data/index.js';
import { knownOf, otherData } from '../data/other-data.js';
import { EatDmlError } from '../errors.js';
import { type EvaluateOptions, type EvaluationProgress, type EvaluationReport, evaluate } from '../evaluation/index.js';
import type { ImageProgress, LongWork } from '../long-work.js';
import type { Ensemble } from '../models/index.js';
import { chooseBackend } from '../tfjs/index.js';
import type { EvaluationConfig, EvaluationFlags } from './evaluation-of-run.js';
import { dataOf, evaluateOptionsOf } from './make.js';
import { requireDevice } from './require-device.js';
import type { Start } from './run.js';

export interface EvaluateRunOptions extends Pick<EvaluationFlags, 'allowSeen'> {
  /** The ensemble as images are to go through it, such as one whose ranks share them (default: as it is). */
  shared?(ensemble: Ensemble): Ensemble;
  signal?: AbortSignal;
  onStart?(start: Start): void;
  onProgress?(progress: ImageProgress | EvaluationProgress): void;
  /** What a page shows beside the report, of so many images; gathered where it is asked for. */
  onGathered?: EvaluateOptions['onGathered'];
  gather?: number;
}

/** Evaluates the ensemble in a run's folder on the unseen side of its data. */
export async function evaluateRun(
  run: string,
  { config, data: dataConfig, own }: EvaluationConfig,
  { allowSeen, shared = (ensemble) => ensemble, signal, onStart, onProgress, ...gathering }: EvaluateRunOptions,
): Promise<EvaluationReport> {
  requireDevice(config.device);
  const asked = evaluateOptionsOf(config);
  const backend = await chooseBackend({ backend: config.backend ?? 'auto' });
  const work = { signal, onProgress };
  const { train: learnt, test: data, gallery } = await dataOf(dataConfig, work);
  const ensemble = await loadEnsemble(run);
  try {
    if (own && !allowSeen) await checkData(run, ensemble, learnt, work);
    onStart?.({ data, backend });
    // The manifest has them: told of here, and not read again.
    await data.hash(work);
    await gallery?.hash(work);
    const options = { ...asked, gallery, allowSeen, onProgress, signal, ...gathering };
    return await evaluate(shared(ensemble), data, options);
  } finally {
    ensemble.dispose();
  }
}

/** ERR_DATA unless what the run's configuration gives today is what its checkpoint was trained on. */
async function checkData(
  run: string,
  { trainedOn, inputShape }: Ensemble,
  learnt: Source,
  work: LongWork,
): Promise<void> {
  const now = await learnt.hash(work);
  if (!trainedOn || trainedOn.hash === now) return;
  const other = otherData({ ...trainedOn, shape: inputShape }, await knownOf(learnt, work.signal));
  const [then, today] = other
    ? [other.known, other.given]
    : [trainedOn.hash, now].map((hash) => `sha256 ${hash.slice(0, 12)}`);
  throw new EatDmlError(
    'ERR_DATA',
    `Expected the data that ${run} was trained on, ${then}, but its configuration gives ${today}.`,
    { hint: 'The files, or the package that they are from, have changed since; --allow-seen measures all the same.' },
  );
}
