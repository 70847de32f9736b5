import { join } from 'node:path';
import { amount } from '../../amount.js';
import { hasCheckpoint, removeCheckpoint } from '../../checkpoints/index.js';
import { dataOf, evaluateOptionsOf, trainOptionsOf } from '../../config/make.js';
import { requireDevice } from '../../config/require-device.js';
import type { Config, MethodConfig } from '../../config/schema.js';
import type { Source } from '../../data/index.js';
import { EatDmlError } from '../../errors.js';
import { type EvaluationReport, evaluate } from '../../evaluation/index.js';
import { compare, comparisonText, manifestText, reportHtml } from '../../report/index.js';
import { scoreText } from '../../report/score-text.js';
import { chooseBackend } from '../../tfjs/index.js';
import { type TrainedEnsemble, type TrainingHistory, train } from '../../training/index.js';
import { checkTargets, deliver, jsonText } from '../deliver.js';
import { demoConfig, demoMethods } from '../demo-sizes.js';
import { type Interrupted, interruptible } from '../interrupt.js';
import { configOf, type SharedFlags } from '../options.js';
import { profileText, startProfile } from '../profile.js';
import { duration, ProgressLine } from '../progress-line.js';

export interface DemoFlags extends SharedFlags {
  out: string;
  resume?: boolean;
  epochs?: number;
  perClass?: number;
}

interface DemoRun {
  method: string;
  config: MethodConfig;
  history: TrainingHistory;
  report: EvaluationReport;
}

/** What every method of a demo shares. */
interface DemoSetting {
  config: Config;
  methods: MethodConfig[];
  flags: DemoFlags;
  seen: Source;
  unseen: Source;
  signal: AbortSignal;
}

/** `eat-dml demo`: the same data, epochs and attack for standard training, adversarial training and EAT; one table. */
export async function demoCommand(flags: DemoFlags): Promise<void> {
  const start = performance.now();
  const given = await configOf(flags);
  requireDevice(given.device);
  if (given.method)
    throw new EatDmlError('ERR_CONFIG', 'Expected no method in the demo’s configuration: it trains three.');
  const files = { json: join(flags.out, 'report.json'), html: join(flags.out, 'report.html') };
  await checkTargets(files.json, files.html);
  const backend = await chooseBackend({ backend: given.backend ?? 'auto' });
  const fast = backend.name === 'native' || backend.name === 'tensorflow';
  const config = demoConfig(given, flags, fast);
  const line = new ProgressLine(config.data?.name ?? 'data');
  const methods = demoMethods(config, fast);
  const interrupted: Interrupted = { what: 'The demo', kept: () => keptIn(flags.out, methods) };
  const { train: seen, test: unseen } = await interruptible(
    (signal) => dataOf(config, { signal, onProgress: line.show, onLooked: line.looked }),
    interrupted,
  ).finally(() => line.clear());
  announce(`backend ${backend.name}: ${backend.reason}`);
  if (!fast) announce('this backend is slow, so the demo takes fewer images and smaller networks; see eat-dml doctor');
  announce(`${seen.labels.length} images to learn from; ${unseen.labels.length} of classes never seen to be clustered`);
  const endProfile = startProfile(flags.profile, backend.name);
  const runs = await interruptible((signal) => runAll({ config, methods, flags, seen, unseen, signal }), interrupted);
  const profile = endProfile();
  if (profile) process.stderr.write(profileText(profile));
  const comparison = compare(runs);
  const notes = manifestText(runs[0].report.manifest);
  const seconds = (performance.now() - start) / 1000;
  const result = { command: 'demo', config, backend, comparison, runs, profile, seconds };
  announce(`took ${duration(result.seconds)}; the same figures go to ${files.json} and ${files.html}`);
  await deliver(flags.json, result, `\n${comparisonText(comparison)}\n\n${notes}`, [
    { path: files.json, content: () => jsonText(result) },
    { path: files.html, content: () => pageOf(config, runs) },
  ]);
}

function pageOf(config: Config, runs: readonly DemoRun[]): Promise<string> {
  return reportHtml(
    runs.map(({ method: name, config: method, history, report }) => {
      return { name, report, history, config: { ...config, method } };
    }),
  );
}

async function runAll(setting: DemoSetting): Promise<DemoRun[]> {
  const { methods } = setting;
  const runs: DemoRun[] = [];
  for (const [i, method] of methods.entries()) {
    const label = (what: string) => `[${i + 1}/${methods.length}] ${what} ${method.name.padEnd(8)}`;
    const ensemble = await trainOne(setting, method, new ProgressLine(label('train   ')));
    const report = await evaluateOne(setting, method, ensemble, new ProgressLine(label('evaluate')));
    runs.push({ method: method.name, config: method, history: ensemble.history, report });
    ensemble.dispose();
  }
  return runs;
}

async function trainOne(setting: DemoSetting, method: MethodConfig, line: ProgressLine): Promise<TrainedEnsemble> {
  const { config, flags, seen, signal } = setting;
  const dir = join(flags.out, method.name);
  const there = await hasCheckpoint(dir);
  if (there && !flags.resume) await removeCheckpoint(dir);
  const run = { ...config, method };
  const options = { ...trainOptionsOf(run), data: seen, checkpoint: { dir, run }, signal };
  const ensemble = await cleared(
    line,
    train({ ...options, resume: there && flags.resume, onHash: line.show, onProgress: line.show }),
  );
  line.end(`${amount(ensemble.history.steps, 'step')} in ${duration(ensemble.history.seconds)}`);
  return ensemble;
}

async function evaluateOne(
  { config, unseen, signal }: DemoSetting,
  method: MethodConfig,
  ensemble: TrainedEnsemble,
  line: ProgressLine,
): Promise<EvaluationReport> {
  // The same radius for every method, so standard gets it too.
  const options = { ...evaluateOptionsOf(config), onProgress: line.show, signal };
  const report = await cleared(line, evaluate(ensemble, unseen, options));
  const { nmi, recallAt1 } = report.worst.scores;
  const worst = `worst case NMI ${scoreText(nmi)}, Recall@1 ${scoreText(recallAt1)}`;
  line.end(`${method.name}: ${report.attacks.length} attacks in ${duration(report.seconds)}; ${worst}`);
  return report;
}

function cleared<T>(line: ProgressLine, work: Promise<T>): Promise<T> {
  return work.catch((error) => {
    line.clear();
    throw error;
  });
}

function announce(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** What an interrupted demo leaves. */
async function keptIn(out: string, methods: readonly MethodConfig[]): Promise<string> {
  const there = await Promise.all(methods.map(({ name }) => hasCheckpoint(join(out, name))));
  if (!there.includes(true)) return 'Nothing was trained yet. Begin again with the same command.';
  return `What was trained is saved. Go on with: npx eat-dml demo --resume --out ${out}`;
}
