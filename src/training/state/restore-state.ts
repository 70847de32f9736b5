import * as tf from '#tf';
import { checked, corrupt, type LoadedCheckpoint, restoreMember, type SavedTensors } from '../../checkpoints/index.js';
import { otherData } from '../../data/other-data.js';
import { differenceOf } from '../../difference.js';
import { EatDmlError } from '../../errors.js';
import type { Embedder, TrainedOn } from '../../models/index.js';
import type { Member } from '../method.js';
import { fingerprint, type Settings } from '../options.js';
import { trainedOn } from '../trained-on.js';
import { chosenOn } from '../validation/held-out.js';
import { type Position, recorded } from './record.js';
import { disposeTrainees, type Trainee, trainee } from './trainee.js';

const AS_STARTED = 'Resume with the options that the run was started with; only epochs may differ.';

/** Everything that a checkpoint must bring back. */
export interface TrainingState {
  trainees: Trainee[];
  position: Position;
  trainedOn: TrainedOn;
  /** What run.json shall hold: what the caller gives, else what the checkpoint says. */
  run: unknown;
}

/** The state in a checkpoint that was read. ERR_CHECKPOINT where it is of another run, or does not fit. */
export async function restoreState(
  settings: Settings,
  classes: number,
  loaded: LoadedCheckpoint,
): Promise<TrainingState> {
  const { members } = loaded;
  const { dir, run } = settings.checkpoint!;
  const trainees: Trainee[] = [];
  try {
    checkNotBest(dir, loaded.record);
    const { fingerprint: saved, position, optimizerSteps, groupSteps } = checked(dir, loaded.record, recorded);
    const now = await fingerprint(settings);
    if (saved.data !== now.data) throw await otherDataError(settings, loaded, saved, now);
    checkFingerprint(dir, saved, now);
    if (members.length !== settings.method.members || optimizerSteps.length !== members.length) {
      throw corrupt(dir, `it holds ${members.length} members and the steps of ${optimizerSteps.length}`);
    }
    for (const [i, embedder] of members.entries()) {
      trainees.push(restoreTrainee(settings, embedder, i, classes, loaded));
      trainees[i].optimizer.restoreSteps(optimizerSteps[i], groupSteps?.[i]);
    }
    const moved = members.map((_, i) => position.moved[i] ?? false);
    const learnt = await trainedOn(settings.data, settings, chosenOn(settings));
    return { trainees, position: { ...position, moved }, trainedOn: learnt, run: run ?? loaded.run };
  } catch (error) {
    disposeTrainees(trainees);
    for (const member of members.slice(trainees.length)) member.dispose();
    throw error;
  }
}

/** ERR_CHECKPOINT where the record is that of a best epoch, which has no optimiser to go on with. */
function checkNotBest(dir: string, record: unknown): void {
  if ((record as { best?: unknown } | undefined)?.best === undefined) return;
  const message = `Expected a checkpoint to go on from but ${dir} holds the best epoch of a run, to be measured alone.`;
  throw new EatDmlError('ERR_CHECKPOINT', message, { hint: 'Resume from the folder of the run, above it.' });
}

/** A trainee as it was saved; `embedder` is the checkpoint's, and the trainee's from now on. */
function restoreTrainee(
  settings: Settings,
  embedder: Embedder,
  member: number,
  classes: number,
  { tensors }: LoadedCheckpoint,
): Trainee {
  const { dir } = settings.checkpoint!;
  const take = (name: string, shape: readonly number[]) => {
    const saved = tensors.get(name);
    if (saved?.shape.join() === shape.join()) return tf.tensor(saved.values, saved.shape);
    throw corrupt(dir, `it holds no tensor ${name} of shape [${shape.join(', ')}]`);
  };
  const ours: { dispose(): void }[] = [];
  const own = <T extends { dispose(): void }>(made: T): T => {
    ours.push(made);
    return made;
  };
  const proxiesOf = (name: string) => own(tf.tidy(() => tf.variable(take(name, [classes, embedder.embedding]))));
  try {
    const saved: Member = { embedder, proxies: proxiesOf(`${member}/proxies`) };
    const moving =
      settings.ema === undefined
        ? saved
        : {
            embedder: own(movingEmbedder(settings, embedder, member, tensors)),
            proxies: proxiesOf(`${member}/moving-proxies`),
          };
    const restored = trainee(settings, moving, moving === saved ? undefined : saved);
    own(restored.optimizer);
    tf.tidy(() => {
      for (const [j, moment] of restored.optimizer.moments().entries()) {
        moment.assign(take(`${member}/moment-${j}`, moment.shape));
      }
    });
    return restored;
  } catch (error) {
    for (const made of ours) made.dispose();
    throw error;
  }
}

/** The network that the optimiser moves, where the checkpoint's member is its moving average. */
function movingEmbedder(
  { model, checkpoint }: Settings,
  { inputShape }: Embedder,
  member: number,
  tensors: SavedTensors,
) {
  const prefix = `${member}/moving/`;
  const own = [...tensors].flatMap(([name, saved]) =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), saved] as const] : [],
  );
  return restoreMember(model, { file: checkpoint!.dir, inputShape, weights: new Map(own) });
}

/** Throws naming the first option that differs from the checkpoint's. */
function checkFingerprint(dir: string, saved: Record<string, unknown>, now: Record<string, unknown>): void {
  const before: Record<string, unknown> = { ...saved, model: underPresentNames(saved.model) };
  for (const key of new Set([...Object.keys(now), ...Object.keys(before)])) {
    const [then, given] = [before, now].map((from) => JSON.stringify(from[key]) ?? 'nothing');
    if (then === given) continue;
    const {
      path,
      before: was,
      now: is,
    } = differenceOf(before[key], now[key], key) ?? { path: key, before: then, now: given };
    const message = `Expected ${path} ${was}, as in the checkpoint ${dir}, but received ${is}.`;
    throw new EatDmlError('ERR_CHECKPOINT', message, { hint: AS_STARTED });
  }
}

/** The error of data that are not those of the checkpoint: what differs by their images, else by the configuration, else by their hash. */
async function otherDataError(
  settings: Settings,
  { members, trainedOn: learnt, run }: LoadedCheckpoint,
  saved: Record<string, unknown>,
  now: Record<string, unknown>,
): Promise<EatDmlError> {
  const { data, checkpoint } = settings;
  const received = { ...(await trainedOn(data, settings, chosenOn(settings))), shape: data.shape };
  const images = learnt && otherData({ ...learnt, shape: members[0]?.inputShape ?? data.shape }, received);
  const [before, given] = [run, checkpoint!.run].map((of) => (of as { data?: unknown } | undefined)?.data);
  const option = before !== undefined && given !== undefined ? differenceOf(before, given, 'data') : undefined;
  const [is, was] = images
    ? [images.given, images.known]
    : option
      ? [`${option.path} ${option.now}`, `${option.path} ${option.before}`]
      : [now.data, saved.data].map((hash) => `sha256 ${String(hash).slice(0, 12)}`);
  const message = `Expected the data that ${checkpoint!.dir} was trained on, ${was}, but received ${is}.`;
  return new EatDmlError('ERR_CHECKPOINT', message, { hint: `${AS_STARTED} Its files must be those of then, too.` });
}

/** A model as it is described today: `dimension` was called `embedding`. */
function underPresentNames(model: unknown): unknown {
  const entries = Object.entries((model ?? {}) as Record<string, unknown>);
  return Object.fromEntries(entries.map(([key, value]) => [key === 'embedding' ? 'dimension' : key, value]));
}
