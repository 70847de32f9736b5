import { loadEnsemble } from '../../checkpoints/index.js';
import { type EvaluationFlags, evaluationConfig } from '../../config/evaluation-of-run.js';
import { dataOf, evaluateOptionsOf } from '../../config/make.js';
import { requireDevice } from '../../config/require-device.js';
import { type Dataset, datasetHash } from '../../data/index.js';
import { EatDmlError } from '../../errors.js';
import { evaluate } from '../../evaluation/index.js';
import type { Ensemble } from '../../models/index.js';
import { compare, comparisonHtml, manifestText, reportText } from '../../report/index.js';
import { chooseBackend } from '../../tfjs/index.js';
import { checkTargets, deliver, jsonText } from '../deliver.js';
import { interruptible } from '../interrupt.js';
import { profileText, startProfile } from '../profile.js';
import { duration, ProgressLine } from '../progress-line.js';

export interface EvaluateFlags extends EvaluationFlags {
  out?: string;
  html?: string;
}

/** `eat-dml evaluate RUN`: the unseen side of the run's data, clustered and searched under every attack of the suite. */
export async function evaluateCommand(run: string, flags: EvaluateFlags): Promise<void> {
  const { config, data: dataConfig, own } = await evaluationConfig(run, flags);
  await checkTargets(flags.out, flags.html);
  requireDevice(config.device);
  const backend = await chooseBackend({ backend: config.backend ?? 'auto' });
  const [{ train: learnt, test: data }, ensemble] = await Promise.all([dataOf(dataConfig), loadEnsemble(run)]);
  if (own && !flags.allowSeen) checkData(run, ensemble, learnt);
  process.stderr.write(`${data.length} images of ${data.name}; backend ${backend.name}: ${backend.reason}\n`);
  const line = new ProgressLine('evaluate');
  const endProfile = startProfile(flags.profile, backend.name);
  const options = { ...evaluateOptionsOf(config), allowSeen: flags.allowSeen };
  const report = await interruptible((signal) =>
    evaluate(ensemble, data, { ...options, onProgress: line.show, signal }),
  ).catch((error) => {
    line.clear();
    throw error;
  });
  line.end(`${report.attacks.length} attacks in ${duration(report.seconds)}`);
  const profile = endProfile();
  if (profile) process.stderr.write(profileText(profile));
  ensemble.dispose();
  const result = { command: 'evaluate', run, ...report, profile };
  const comparison = compare([{ method: config.method?.name ?? 'ensemble', report }]);
  await deliver(flags.json, result, reportText(report), [
    { path: flags.out, content: () => jsonText(result) },
    { path: flags.html, content: () => comparisonHtml(comparison, manifestText(report.manifest)) },
  ]);
}

/** ERR_DATA unless what the run's configuration gives today is what its checkpoint was trained on. */
function checkData(run: string, { trainedOn }: Ensemble, learnt: Dataset): void {
  const now = datasetHash(learnt);
  if (!trainedOn || trainedOn.hash === now) return;
  const [then, today] = [trainedOn.hash, now].map((hash) => hash.slice(0, 12));
  throw new EatDmlError(
    'ERR_DATA',
    `Expected the data that ${run} was trained on (sha256 ${then}) but its configuration gives others (${today}).`,
    { hint: 'The files, or the package that they are from, have changed since; --allow-seen measures all the same.' },
  );
}
