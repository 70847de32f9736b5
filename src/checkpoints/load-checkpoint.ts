import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { describe, EatDmlError } from '../errors.js';
import { modelSpec } from '../models/embedder.js';
import { type Embedder, Ensemble, type ModelSpec, type TrainedOn } from '../models/index.js';
import * as models from '../models/list.js';
import { parse } from '../options.js';
import { partsOf } from '../part.js';
import { corrupt, MANIFEST, type Manifest, readEntry, readManifest } from './manifest.js';
import { readMember, type SavedMember, type SavedTensors, tensorsIn } from './read-member.js';
import { restoreMember } from './restore-member.js';
import { readMember1, tensorsIn1 } from './version-1.js';

/** A checkpoint read back; the caller disposes the members. */
export interface LoadedCheckpoint {
  model: Manifest['model'];
  members: Embedder[];
  /** Float32 values by name. */
  tensors: SavedTensors;
  /** Absent in checkpoints of old. */
  trainedOn?: TrainedOn;
  record: unknown;
  run?: unknown;
}

const MODELS = partsOf(models);
const folder = z.string('a folder').min(1, 'a folder');

/** True when `dir` holds a manifest. */
export async function hasCheckpoint(dir: string): Promise<boolean> {
  parse(folder, dir, 'dir');
  return access(join(dir, MANIFEST)).then(
    () => true,
    () => false,
  );
}

/** What the checkpoint in `dir` says of its run, which run.json beside it should say, too. Errors as `loadCheckpoint`. */
export async function readRecordedRun(dir: string): Promise<unknown> {
  return (await readManifest(dir)).run;
}

/** What the trainer left in the checkpoint in `dir` beside tensors. Errors as `loadCheckpoint`. */
export async function readRecord(dir: string): Promise<unknown> {
  return (await readManifest(dir)).record;
}

/**
 * Reads the checkpoint in `dir`, every file verified. `model` builds the members where this package does not know
 * their kind. ERR_CHECKPOINT names the first file that is missing, cut short or changed.
 */
export async function loadCheckpoint(dir: string, model?: ModelSpec): Promise<LoadedCheckpoint> {
  parse(folder, dir, 'dir');
  parse(modelSpec.optional(), model, 'model');
  for (;;) {
    const manifest = await readManifest(dir);
    try {
      return await loadFiles(dir, manifest, model);
    } catch (error) {
      // A run that is still training may have put a newer one in its place meanwhile.
      if (isDeepStrictEqual((await readManifest(dir)).files, manifest.files)) throw error;
    }
  }
}

async function loadFiles(dir: string, manifest: Manifest, model: ModelSpec | undefined): Promise<LoadedCheckpoint> {
  const spec = model ?? specOf(dir, manifest);
  const [member, tensorsOf] = manifest.version === 1 ? [readMember1, tensorsIn1] : [readMember, tensorsIn];
  const bytes = await readEntry(dir, manifest, manifest.tensorFile);
  const tensors = tensorsOf(join(dir, manifest.tensorFile), bytes, manifest);
  const trainedOn = await readTrainedOn(dir, manifest);
  const saved = await Promise.all(manifest.members.map((path) => member(dir, manifest, path)));
  const members = restoreAll(spec, saved);
  return { model: manifest.model, members, tensors, trainedOn, record: manifest.record, run: manifest.run };
}

/**
 * The ensemble of a checkpoint, to embed and to evaluate with; the caller disposes it. Errors as `loadCheckpoint`.
 *
 * @example
 * ```ts
 * import { clusterEmbeddings, clusteringScores, loadEnsemble, openData } from 'eat-dml';
 *
 * const ensemble = await loadEnsemble('runs/eat'); // what `train` or `eat-dml train` has saved
 * const { test: unseen } = await openData('folder', { root: 'photos', transform: { resize: 36, crop: 32 }, sides: ['test'] });
 * const embeddings = await ensemble.embed(unseen); // { data, rows, cols }
 * const { labels } = await clusterEmbeddings(embeddings, { k: 3, seed: 1 });
 * console.log(clusteringScores(unseen.labels, labels).nmi);
 * ```
 */
export async function loadEnsemble(dir: string, model?: ModelSpec): Promise<Ensemble> {
  const { members, trainedOn } = await loadCheckpoint(dir, model);
  return new Ensemble(members, trainedOn);
}

/** The specification that the manifest names; ERR_CONFIG where this package has no such kind. */
function specOf(dir: string, { model: { kind, config } }: Manifest): ModelSpec {
  const found = MODELS.find(({ name }) => name === kind);
  if (!found) {
    const known = MODELS.map(({ name }) => name).join(', ');
    throw new EatDmlError('ERR_CONFIG', `Expected a model kind among ${known} but received ${describe(kind)}.`, {
      hint: 'Pass the model specification that trained it as `model`.',
    });
  }
  try {
    return found.make(config as never);
  } catch (error) {
    // A module that nobody has named: the checkpoint is sound.
    if ((error as EatDmlError).code === 'ERR_CONFIG') throw error;
    throw corrupt(join(dir, MANIFEST), `there is no model ${kind} ${JSON.stringify(config)}`, error);
  }
}

function restoreAll(spec: ModelSpec, saved: readonly SavedMember[]): Embedder[] {
  const members: Embedder[] = [];
  try {
    for (const member of saved) {
      const [{ inputShape }] = saved;
      if (member.inputShape.join() !== inputShape.join()) {
        throw corrupt(member.file, `it takes images ${member.inputShape} and the first member ${inputShape}`);
      }
      members.push(restoreMember(spec, member));
    }
    return members;
  } catch (error) {
    for (const member of members) member.dispose();
    throw error;
  }
}

async function readTrainedOn(dir: string, manifest: Manifest): Promise<TrainedOn | undefined> {
  if (!manifest.trainedOn) return undefined;
  const { imageFile, ...seen } = manifest.trainedOn;
  const bytes = await readEntry(dir, manifest, imageFile);
  if (bytes.length % 8 !== 0) throw corrupt(join(dir, imageFile), `it holds ${bytes.length} bytes, not eight an image`);
  return { ...seen, images: new BigUint64Array(new Uint8Array(bytes).buffer) };
}
