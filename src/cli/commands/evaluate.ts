import { evaluateRun } from '../../config/evaluate-run.js';
import { type EvaluationFlags, evaluationConfig } from '../../config/evaluation-of-run.js';
import { compare, comparisonHtml, manifestText, reportText } from '../../report/index.js';
import { checkTargets, deliver, jsonText } from '../deliver.js';
import { interruptible } from '../interrupt.js';
import type { SharedFlags } from '../options.js';
import { profileText, startProfile } from '../profile.js';
import { duration, ProgressLine, startText } from '../progress-line.js';

export interface EvaluateFlags extends SharedFlags, EvaluationFlags {
  out?: string;
  html?: string;
}

/** `eat-dml evaluate RUN`: the unseen side of the run's data, clustered and searched under every attack of the suite. */
export async function evaluateCommand(run: string, flags: EvaluateFlags): Promise<void> {
  const given = await evaluationConfig(run, flags);
  await checkTargets(flags.out, flags.html);
  const line = new ProgressLine('evaluate');
  let endProfile: ReturnType<typeof startProfile> | undefined;
  const report = await interruptible((signal) =>
    evaluateRun(run, given, {
      allowSeen: flags.allowSeen,
      signal,
      onProgress: line.show,
      onStart: (start) => {
        process.stderr.write(startText(start));
        endProfile = startProfile(flags.profile, start.backend.name);
      },
    }),
  ).catch((error) => {
    line.clear();
    throw error;
  });
  line.end(`${report.attacks.length} attacks in ${duration(report.seconds)}`);
  const profile = endProfile?.();
  if (profile) process.stderr.write(profileText(profile));
  const result = { command: 'evaluate', run, ...report, profile };
  const comparison = compare([{ method: given.config.method?.name ?? 'ensemble', report }]);
  await deliver(flags.json, result, reportText(report), [
    { path: flags.out, content: () => jsonText(result) },
    { path: flags.html, content: () => comparisonHtml(comparison, manifestText(report.manifest)) },
  ]);
}
