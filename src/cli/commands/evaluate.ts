import { loadEnsemble } from '../../checkpoints/index.js';
import { writeAtomically } from '../../data/write-atomically.js';
import { evaluate } from '../../evaluation/index.js';
import { compare, comparisonHtml, manifestText, reportText } from '../../report/index.js';
import { chooseBackend } from '../../tfjs/index.js';
import type { Config } from '../config.js';
import { dataOf, evaluateOptionsOf } from '../from-config.js';
import { interruptible } from '../interrupt.js';
import { configOf, printResult, type SharedFlags } from '../options.js';
import { profileText, startProfile } from '../profile.js';
import { duration, ProgressLine } from '../progress-line.js';
import { requireDevice } from '../require-device.js';
import { readRun } from '../run-folder.js';

export interface EvaluateFlags extends SharedFlags {
  suite?: NonNullable<Config['evaluation']>['suite'];
  epsilon?: number;
  count?: number;
  out?: string;
  html?: string;
}

/** `eat-dml evaluate RUN`: the unseen side of the run's data, clustered and searched under every attack of the suite. */
export async function evaluateCommand(run: string, flags: EvaluateFlags): Promise<void> {
  const config = await evaluationConfig(run, flags);
  requireDevice(config.device);
  const backend = await chooseBackend({ backend: config.backend ?? 'auto' });
  const [{ test: data }, ensemble] = await Promise.all([dataOf(config), loadEnsemble(run)]);
  process.stderr.write(`${data.length} images of ${data.name}; backend ${backend.name}: ${backend.reason}\n`);
  const line = new ProgressLine('evaluate');
  const endProfile = startProfile(flags.profile, backend.name);
  const report = await interruptible((signal) =>
    evaluate(ensemble, data, { ...evaluateOptionsOf(config), onProgress: line.show, signal }),
  ).catch((error) => {
    line.clear();
    throw error;
  });
  line.end(`${report.attacks.length} attacks in ${duration(report.seconds)}`);
  const profile = endProfile();
  if (profile) process.stderr.write(profileText(profile));
  ensemble.dispose();
  const result = { command: 'evaluate', run, ...report, profile };
  if (flags.out) await writeAtomically(flags.out, Buffer.from(`${JSON.stringify(result, null, 2)}\n`));
  if (flags.html) {
    const comparison = compare([{ method: config.method?.name ?? 'ensemble', report }]);
    await writeAtomically(flags.html, Buffer.from(comparisonHtml(comparison, manifestText(report.manifest))));
  }
  printResult(flags.json, result, reportText(report));
}

/** A configuration file stands in for the run's own; flags go before both. */
async function evaluationConfig(run: string, flags: EvaluateFlags): Promise<Config> {
  const config = await configOf(flags, flags.config === undefined ? await readRun(run) : undefined);
  const { suite, epsilon, count } = flags;
  const given = Object.entries({ suite, epsilon, count }).filter(([, value]) => value !== undefined);
  return { ...config, evaluation: { ...config.evaluation, ...Object.fromEntries(given) } };
}
