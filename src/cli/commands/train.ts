import { amount } from '../../amount.js';
import type { AttackNorm } from '../../attacks/index.js';
import { hasCheckpoint } from '../../checkpoints/index.js';
import { PARTS } from '../../config/lists.js';
import { hasOption, loadModel, methodNamed, trainOptionsOf } from '../../config/make.js';
import { type Start, trainConfig } from '../../config/run.js';
import { readRun } from '../../config/run-folder.js';
import { type Config, DEFAULTS, type MethodConfig, type MethodName, trainedAgainst } from '../../config/schema.js';
import { photographs } from '../../data/open-archive.js';
import { EatDmlError } from '../../errors.js';
import type { ImageProgress } from '../../long-work.js';
import type { TrainingPlan, TrainingProgress } from '../../training/index.js';
import { settingsOf as loopOf } from '../../training/options.js';
import { dataSpec } from '../data-spec.js';
import { type Interrupted, interruptible } from '../interrupt.js';
import { modelConfig } from '../model-flags.js';
import { configOf, hasModelFlags, type ModelFlags, printResult, type SharedFlags } from '../options.js';
import { profileText, startProfile } from '../profile.js';
import { duration, ProgressLine, startText } from '../progress-line.js';
import { onAll, onRanks, type RankFlags, type Ranks } from '../ranks.js';
import { trainingEvents } from '../training-events.js';
import type { Watch } from '../watch/server.js';

export interface TrainFlags extends SharedFlags, ModelFlags, RankFlags {
  out?: string;
  resume?: boolean;
  method?: MethodName;
  loss?: NonNullable<Config['loss']>['name'];
  recipe?: NonNullable<Config['training']>['recipe'];
  /** fashion-mnist, cub200:/path */
  data?: string;
  members?: number;
  heads?: number;
  epsilon?: number;
  norm?: AttackNorm;
  steps?: number;
  epochs?: number;
  batch?: number;
  rate?: number;
  perClass?: number;
  pixels?: number;
  skipBroken?: number;
  tensorboard?: string;
  /** A port, or any that is free. */
  watch?: number | true;
}

/** `eat-dml train`: one method, into a run folder that holds its configuration and its newest checkpoint. */
export async function trainCommand(flags: TrainFlags): Promise<void> {
  await onRanks(flags, async (ranks) => {
    const { config, out } = await onAll(ranks, () => trainFlags(flags));
    const { distributed } = ranks;
    if (ranks.isFirst) return trainAloud(flags, config, out, distributed);
    const run = { out, resume: flags.resume, distributed };
    const { ensemble } = await interruptible((signal) => trainConfig(config, { ...run, signal }), interruptedOf(out));
    ensemble.dispose();
  });
}

/** The training, of which progress and result are told. */
async function trainAloud(
  flags: TrainFlags,
  config: Config,
  out: string,
  distributed: Ranks['distributed'],
): Promise<void> {
  const { resume } = flags;
  const method = config.method!.name;
  const line = new ProgressLine(`train ${method}`);
  const watch = await watchOf(flags, method, out);
  let events: ReturnType<typeof trainingEvents> | undefined;
  let endProfile: ReturnType<typeof startProfile> | undefined;
  let on = '';
  const profileNow = () => {
    endProfile = startProfile(flags.profile, on);
  };
  const onStart = async (start: Start) => {
    on = start.backend.name;
    line.say(startText(start));
    if (!resume) line.say('measuring steps for the plan\n');
    events = flags.tensorboard === undefined ? undefined : trainingEvents(flags.tensorboard, line.note);
    events?.settings(settingsOf(config, start));
    await events?.examples(start.data);
    if (resume) profileNow();
  };
  let plan: TrainingPlan | undefined;
  const onPlan = (told: TrainingPlan) => {
    plan = told;
    line.plan(told);
    // The steps that it was made by are not the run's.
    profileNow();
  };
  const onProgress = (progress: ImageProgress | TrainingProgress) => {
    line.show(progress);
    watch?.show(progress);
    if (progress.phase === 'train') events?.show(progress);
  };
  const run = { out, resume, distributed };
  const hooks = { onStart, ...(!resume && { onPlan, onPlanStep: line.measured }), onLooked: line.looked, onProgress };
  const { ensemble: trained, backend } = await interruptible(
    (signal) => trainConfig(config, { ...run, signal, ...hooks }),
    interruptedOf(out),
  )
    .catch(async (error) => {
      line.clear();
      await watch?.close(`It was stopped: ${(error as Error).message}`);
      throw error;
    })
    .finally(() => events?.close());
  const profile = endProfile?.();
  const { history } = trained;
  line.end(`${amount(history.steps, 'step')} in ${duration(history.seconds)}`);
  await watch?.close(
    `It has ended: ${amount(history.epochs, 'epoch')} in ${duration(history.seconds)}, saved in ${out}.`,
  );
  if (profile) process.stderr.write(profileText(profile));
  const members = trained.members.length;
  trained.dispose();
  const result = { command: 'train', out, config, members, backend, plan, history, profile };
  const { best } = history;
  const chosen = best ? `; best epoch ${best.epoch} by ${best.metric} ${best.score.toFixed(3)}, in ${out}/best` : '';
  // A run's files run no program by themselves.
  const named = config.model?.kind === 'module' ? ` --config ${out}/run.json` : '';
  const next = `Next: npx eat-dml evaluate ${out}${best ? '/best' : ''}${named} --suite quick --report report.html`;
  const losses = `loss ${history.losses[0].toFixed(3)} to ${history.losses.at(-1)!.toFixed(3)}`;
  const idle =
    history.idle.length > 0 ? `; ${amount(history.idle.length, 'epoch')} taught some members or all nothing` : '';
  printResult(
    flags.json,
    result,
    `${method}: ${amount(history.epochs, 'epoch')}, ${losses}${idle}, saved in ${out}${chosen}\n${next}`,
  );
}

/** The page of the training, where it is asked for; where it is told before there is any work to lose. */
async function watchOf({ watch }: TrainFlags, name: string, folder: string): Promise<Watch | undefined> {
  if (watch === undefined) return undefined;
  const { openWatch } = await import('../watch/server.js');
  const opened = await openWatch({ name, folder, ...(watch !== true && { port: watch }) });
  process.stderr.write(`watch it at ${opened.url}\n`);
  return opened;
}

/** What a run is made with, its recipe's and every default filled in. */
function settingsOf(config: Config, { data, backend }: Start): object {
  const { model, loss, method, ...loop } = loopOf({ ...trainOptionsOf(config), data });
  const names = {
    data: data.name,
    model: { kind: model.kind, ...model.config },
    loss: loss.config,
    method: method.config,
  };
  const { seed, epochs, batch, learningRate, proxyLearningRate, weightDecay } = loop;
  const { decay, schedule, warmUp, clip, microBatch, ema, validation } = loop;
  const rates = { epochs, batch, learningRate, proxyLearningRate, weightDecay, decay, schedule, warmUp };
  const training = { ...rates, clip, microBatch, ema, validation };
  return { ...names, seed, backend: backend.name, training };
}

/** What the flags say, over the configuration's file and the defaults, and the run's folder. */
export async function trainFlags(flags: TrainFlags): Promise<{ config: Config; out: string }> {
  const file = await configOf(flags);
  const out = flags.out ?? `runs/${flags.method ?? file.method?.name ?? DEFAULTS.method.name}`;
  const config = flags.resume && flags.config === undefined ? await configOf(flags, await readRun(out)) : file;
  const { epochs, batch, rate, recipe } = flags;
  const data = dataConfig(flags, config.data ?? DEFAULTS.data);
  const all: Config = {
    ...config,
    data,
    ...(hasModelFlags(flags) && { model: modelConfig(flags, config.model ?? DEFAULTS.model) }),
    ...(flags.loss !== undefined && { loss: chosen(flags.loss, config.loss) }),
    method: methodConfig(flags, config.method),
    training: {
      ...config.training,
      ...(epochs !== undefined && { epochs }),
      ...(batch !== undefined && { batch: { size: batch } }),
      ...(rate !== undefined && { learningRate: rate }),
      ...(recipe !== undefined && { recipe }),
    },
  };
  // Of a run that goes on, run.json names it alone: that is no word of the user's.
  if (flags.config !== undefined || flags.model !== undefined) await loadModel(all);
  return { out, config: all };
}

/** The data, with what flags say of them; ERR_CONFIG where a set has no such option. */
function dataConfig({ data: named, perClass, pixels, skipBroken }: TrainFlags, configured: Config['data']) {
  const data = chosenData(named, configured!);
  const has = (option: string) => hasOption(PARTS.data, data.name, option);
  const size = pixels === undefined || has('side') ? { side: pixels } : { transform: photographs(pixels) };
  const given = Object.entries({ perClass, skipBroken, ...size }).filter(([, value]) => value !== undefined);
  for (const [key] of given) {
    if (has(key)) continue;
    const flag =
      pixels !== undefined && key in size ? 'pixels' : key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new EatDmlError('ERR_CONFIG', `Expected no --${flag} with the data ${data.name}.`);
  }
  return { ...data, ...Object.fromEntries(given) } as NonNullable<Config['data']>;
}

/** The configured data, or those that the flag names; the folder that it names is the configured set's too. */
function chosenData(flag: string | undefined, configured: NonNullable<Config['data']>) {
  if (flag === undefined) return configured;
  const { name, root } = dataSpec(flag);
  const base = name === configured.name ? configured : { name };
  return { ...base, ...(root !== undefined && { root }) } as NonNullable<Config['data']>;
}

/** The configured part, or the one that a flag names with its defaults. */
function chosen<P extends { name: string }>(name: P['name'] | undefined, configured: P | undefined): P {
  return name === undefined || name === configured?.name ? configured! : ({ name } as P);
}

/** The configured method, or the one that a flag names with its defaults; flags change its members, heads and attack. */
function methodConfig({ method: name, members, heads, ...flags }: TrainFlags, configured?: MethodConfig): MethodConfig {
  const keep = configured && (name === undefined || name === configured.name);
  const method = keep ? configured : methodNamed(name ?? DEFAULTS.method.name);
  const given: Record<string, unknown> = { ...method };
  const refused = (flag: string) =>
    new EatDmlError('ERR_CONFIG', `Expected no ${flag} with the method ${method.name}.`);
  for (const [option, value] of Object.entries({ members, heads })) {
    if (value === undefined) continue;
    if (!hasOption(PARTS.method, method.name, option)) throw refused(`--${option}`);
    given[option] = value;
  }
  const { epsilon, norm, steps } = flags;
  for (const [option, value] of Object.entries({ epsilon, norm, steps })) {
    if (value === undefined) continue;
    if (!hasOption(PARTS.method, method.name, 'attack')) throw refused(`--${option}`);
    given.attack = { ...trainedAgainst(given as MethodConfig), [option]: value };
  }
  return given as MethodConfig;
}

/** What an interrupted training leaves. */
function interruptedOf(out: string): Interrupted {
  const kept = async () => {
    // While the data were opened, there was nothing to save.
    if (!(await hasCheckpoint(out))) return 'Nothing was trained yet. Begin again with the same command.';
    return `A checkpoint is saved. Go on with: npx eat-dml train --resume --out ${out}`;
  };
  return { what: 'Training', kept };
}
