import { dataOf, methodNamed, trainOptionsOf } from '../../config/make.js';
import { requireDevice } from '../../config/require-device.js';
import { readRun } from '../../config/run-folder.js';
import type { Config, MethodConfig, MethodName } from '../../config/schema.js';
import { EatDmlError } from '../../errors.js';
import { chooseBackend } from '../../tfjs/index.js';
import { type TrainingProgress, train } from '../../training/index.js';
import { interruptible } from '../interrupt.js';
import { lossEvents } from '../loss-events.js';
import { configOf, printResult, type SharedFlags } from '../options.js';
import { profileText, startProfile } from '../profile.js';
import { duration, ProgressLine } from '../progress-line.js';

export interface TrainFlags extends SharedFlags {
  out?: string;
  resume?: boolean;
  method?: MethodName;
  members?: number;
  epsilon?: number;
  epochs?: number;
  perClass?: number;
  tensorboard?: string;
}

/** `eat-dml train`: one method, into a run folder that holds its configuration and its newest checkpoint. */
export async function trainCommand(flags: TrainFlags): Promise<void> {
  const { config, out } = await trainConfig(flags);
  const method = config.method!.name;
  requireDevice(config.device);
  const options = trainOptionsOf(config);
  const { train: data } = await dataOf(config);
  const backend = await chooseBackend({ backend: config.backend ?? 'auto' });
  process.stderr.write(`${data.length} images of ${data.name}; backend ${backend.name}: ${backend.reason}\n`);
  const checkpoint = { dir: out, everySteps: config.training?.checkpointEverySteps, run: config };
  const line = new ProgressLine(`train ${method}`);
  const events = flags.tensorboard === undefined ? undefined : lossEvents(flags.tensorboard, line.note);
  const onProgress = (progress: TrainingProgress) => {
    line.show(progress);
    events?.show(progress);
  };
  const endProfile = startProfile(flags.profile, backend.name);
  const trained = await interruptible((signal) =>
    train({ ...options, data, checkpoint, resume: flags.resume, onProgress, signal }),
  )
    .catch((error) => {
      line.clear();
      throw withResumeHint(error, out);
    })
    .finally(() => events?.close());
  const profile = endProfile();
  const { history } = trained;
  line.end(`${history.steps} steps in ${duration(history.seconds)}`);
  if (profile) process.stderr.write(profileText(profile));
  const members = trained.members.length;
  trained.dispose();
  const result = { command: 'train', out, config, members, backend, history, profile };
  const next = `Next: eat-dml evaluate ${out}`;
  const losses = `loss ${history.losses[0].toFixed(3)} to ${history.losses.at(-1)!.toFixed(3)}`;
  const idle = history.idle.length > 0 ? `; ${history.idle.length} epochs taught some members or all nothing` : '';
  printResult(flags.json, result, `${method}: ${history.epochs} epochs, ${losses}${idle}, saved in ${out}\n${next}`);
}

async function trainConfig(flags: TrainFlags): Promise<{ config: Config; out: string }> {
  const file = await configOf(flags);
  const out = flags.out ?? `runs/${flags.method ?? file.method?.name ?? 'eat'}`;
  const config = flags.resume && flags.config === undefined ? await configOf(flags, await readRun(out)) : file;
  const { epochs, perClass } = flags;
  const { data = { name: 'fashion-mnist' as const } } = config;
  if (perClass !== undefined && data.name !== 'fashion-mnist') {
    throw new EatDmlError('ERR_CONFIG', `Expected no --per-class with the data ${data.name}.`);
  }
  return {
    out,
    config: {
      ...config,
      data: data.name === 'fashion-mnist' && perClass !== undefined ? { ...data, perClass } : data,
      method: methodConfig(flags, config.method),
      training: { ...config.training, ...(epochs !== undefined && { epochs }) },
    },
  };
}

/** The configured method, or the one that a flag names with its defaults; flags change its members and radius. */
function methodConfig({ method: name, members, epsilon }: TrainFlags, configured?: MethodConfig): MethodConfig {
  const keep = configured && (name === undefined || name === configured.name);
  const method = { ...(keep ? configured : methodNamed(name ?? 'eat')) };
  if (members !== undefined) {
    if (method.name === 'at') throw new EatDmlError('ERR_CONFIG', 'Expected no --members with the method at.');
    method.members = members;
  }
  if (epsilon !== undefined) {
    if (method.name === 'standard') throw new EatDmlError('ERR_CONFIG', 'Expected no --epsilon with standard.');
    method.attack = { ...method.attack, epsilon };
  }
  return method;
}

/** The error, with the command that goes on from the checkpoint where the run was interrupted. */
function withResumeHint(error: unknown, out: string): unknown {
  if (!(error instanceof EatDmlError) || error.code !== 'ERR_ABORTED') return error;
  const hint = `A checkpoint is saved. Go on with: eat-dml train --resume --out ${out}`;
  return new EatDmlError(error.code, 'Training was interrupted.', { hint, cause: error });
}
