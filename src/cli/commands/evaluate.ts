import { evaluateModel } from '../../config/evaluate-model.js';
import { type EvaluateRunOptions, evaluateRun } from '../../config/evaluate-run.js';
import { type EvaluationFlags, evaluationConfig } from '../../config/evaluation-of-run.js';
import type { Config } from '../../config/schema.js';
import { EatDmlError } from '../../errors.js';
import type { EvaluationReport, Gathered } from '../../evaluation/index.js';
import { type PageHistory, type PageRun, reportHtml, reportText } from '../../report/index.js';
import { commandText } from '../command-text.js';
import { checkTargets, deliver, jsonText } from '../deliver.js';
import { type MeasuredFlags, measuredConfig } from '../evaluated-model.js';
import { type Interrupted, interruptible } from '../interrupt.js';
import { requireRunOrModel } from '../model-flags.js';
import type { SharedFlags } from '../options.js';
import { profileText, startProfile } from '../profile.js';
import { duration, ProgressLine, startText } from '../progress-line.js';
import { onAll, onRanks, type RankFlags, type Ranks, sharedBy } from '../ranks.js';
import { runHistory } from '../run-history.js';

export interface EvaluateFlags extends SharedFlags, EvaluationFlags, MeasuredFlags, Pick<RankFlags, 'distributed'> {
  perClass?: boolean;
  out?: string;
  html?: string;
  /** A page with a map of embeddings and images, too. */
  report?: string;
  points?: number;
}

/** What is evaluated, as the report has it beside its figures. */
interface Subject {
  about: { run: string } | { run: null; model: string };
  /** What the page calls it. */
  title: string;
  config: Config;
  /** How a run was trained. */
  history?: PageHistory;
  evaluate(options: EvaluateRunOptions): Promise<EvaluationReport>;
}

/**
 * `eat-dml evaluate`: the unseen side of a run's data, or the test side of the data named for a network that no run made, clustered
 * and searched under every attack of the suite.
 */
export async function evaluateCommand(run: string | undefined, flags: EvaluateFlags): Promise<void> {
  await onRanks(flags, async (ranks) => {
    const subject = await onAll(ranks, async () => {
      const measured = await subjectOf(run, flags);
      checkPoints(flags);
      if (ranks.isFirst) await checkTargets(flags.out, flags.html, flags.report);
      return measured;
    });
    if (ranks.isFirst) return evaluateAloud(run, flags, subject, ranks);
    const { allowSeen, report, points } = flags;
    const gathering = report !== undefined && { onGathered: () => {}, gather: points };
    const options = { allowSeen, shared: sharedBy(ranks), ...gathering };
    await interruptible((signal) => subject.evaluate({ ...options, signal }), interruptedOf(run));
  });
}

/** The evaluation, of which progress and result are told. */
async function evaluateAloud(
  run: string | undefined,
  flags: EvaluateFlags,
  subject: Subject,
  ranks: Ranks,
): Promise<void> {
  const { about, evaluate } = subject;
  const line = new ProgressLine('evaluate');
  let endProfile: ReturnType<typeof startProfile> | undefined;
  let gathered: Gathered | undefined;
  const onGathered = (told: Gathered) => {
    gathered = told;
  };
  const report = await interruptible(
    (signal) =>
      evaluate({
        allowSeen: flags.allowSeen,
        shared: sharedBy(ranks),
        signal,
        onProgress: line.show,
        ...(flags.report !== undefined && { onGathered, gather: flags.points }),
        onStart: (start) => {
          line.say(`${startText(start)}sanity checks come first\n`);
          endProfile = startProfile(flags.profile, start.backend.name);
        },
      }),
    interruptedOf(run),
  ).catch((error) => {
    line.clear();
    throw error;
  });
  line.end(`${report.attacks.length} attacks in ${duration(report.seconds)}`);
  const profile = endProfile?.();
  if (profile) process.stderr.write(profileText(profile));
  const result = { command: 'evaluate', ...about, ...report, profile };
  const command = commandText('evaluate', run, flags);
  await deliver(flags.json, result, reportText(report, { perClass: flags.perClass }), [
    { path: flags.out, content: () => jsonText(result) },
    { path: flags.html, content: () => pageOf(subject, { report, command }) },
    { path: flags.report, content: () => pageOf(subject, { report, command, gathered }) },
  ]);
}

/** Attacks that are done are not kept: the report is of all of them. */
function interruptedOf(run: string | undefined): Interrupted {
  const unchanged = run === undefined ? '' : ` ${run} is as it was.`;
  const again = 'Begin again with the same command, or a shorter one: --suite quick, --count 500';
  return {
    what: 'The evaluation',
    kept: `No figures were kept, as they are written at its end.${unchanged} ${again}.`,
  };
}

function pageOf({ title: name, config, history }: Subject, found: Omit<PageRun, 'name'>): Promise<string> {
  return reportHtml([{ name, history, config, ...found }]);
}

/** Of the map that only --report has. */
function checkPoints({ points, report }: EvaluateFlags): void {
  if (points === undefined || report !== undefined) return;
  throw new EatDmlError(
    'ERR_ARGUMENT',
    'Expected --report beside --points but received none: no other page has a map.',
  );
}

/** Flags of a network that no run made, and of its data; and the one that speaks of what a run was trained on. */
const OF_MODEL = ['data', 'split', 'resize', 'crop', 'skipBroken', 'weights', 'head', 'pooling', 'dimension'] as const;

async function subjectOf(run: string | undefined, flags: EvaluateFlags): Promise<Subject> {
  const { model } = flags;
  requireRunOrModel(run, model, 'evaluate');
  const refused = (run === undefined ? (['allowSeen'] as const) : OF_MODEL).find((key) => flags[key] !== undefined);
  if (refused) {
    const flag = `--${refused.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const beside =
      run === undefined ? `--model: what it was trained on is not known` : 'a run: its data and network are its own';
    throw new EatDmlError('ERR_ARGUMENT', `Expected no ${flag} beside ${beside}.`);
  }
  if (run === undefined) {
    const config = await measuredConfig(flags);
    return {
      about: { run: null, model: model! },
      title: model!,
      config,
      evaluate: (options) => evaluateModel(config, options),
    };
  }
  const given = await evaluationConfig(run, flags);
  const title = given.config.method?.name ?? 'ensemble';
  const history = await runHistory(run);
  const { config } = given;
  return { about: { run }, title, config, history, evaluate: (options) => evaluateRun(run, given, options) };
}
