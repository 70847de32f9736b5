import { existsSync } from 'node:fs';
import { type FileHandle, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type * as tf from '#tf';
import { invalid } from '../errors.js';
import { fileError, makeFolder } from '../files.js';
import type { Embedder, ImageShape, ModelSpec, TrainedOn } from '../models/index.js';
import { writeSafetensors } from '../models/safetensors.js';
import type { LockedFolder } from './lock-folder.js';
import { type FileEntry, formatManifest, MANIFEST, type Manifest, readManifest, sha256 } from './manifest.js';
import { BEST, RUN, removeOlder } from './own-files.js';

/** What a checkpoint stores. */
export interface CheckpointContent {
  model: Pick<ModelSpec, 'kind' | 'config'>;
  members: readonly Embedder[];
  /** Further float32 tensors by name: proxies, the optimiser's moments. Not disposed. */
  tensors: Record<string, tf.Tensor>;
  trainedOn?: TrainedOn;
  /** Whatever else must come back, as JSON. */
  record: unknown;
  /** JSON that run.json beside the manifest shall hold; none is written where it is absent. */
  run?: unknown;
}

const TENSORS = 'training.safetensors';

type Write = (path: string, bytes: Uint8Array) => Promise<void>;

/**
 * Writes a checkpoint into a folder that is locked: a new folder `step-<step>` with every file, then, in one rename, the
 * manifest that points to it, then run.json, then removes what older checkpoints left. Killed at any point, the folder holds
 * the previous checkpoint or this one, whole. Errors: ERR_SYSTEM, ERR_PATH; the previous checkpoint is then as it was.
 */
export async function saveCheckpoint(folder: LockedFolder, step: number, content: CheckpointContent): Promise<void> {
  const { dir, scratch } = folder;
  try {
    const previous = await readManifest(dir).catch(() => undefined);
    const name = await freeName(dir, `step-${step}`);
    await placeStep(folder, name, content);
    await rename(join(scratch, MANIFEST), join(dir, MANIFEST));
    if (content.run !== undefined) await rename(join(scratch, RUN), join(dir, RUN));
    await removeOlder(dir, name, previous);
  } catch (error) {
    throw fileError('save a checkpoint in', dir, error);
  }
}

/** Ends what a killed `saveCheckpoint` had begun once its manifest was in place, of the best epoch's too: run.json, and the removal of what is older. */
export async function finishSaves(folder: LockedFolder): Promise<void> {
  await finishSave(folder);
  const best = bestFolder(folder);
  if (existsSync(join(best.dir, MANIFEST))) await finishSave(best);
}

/** The folder of the best epoch's checkpoint, which is locked with the run's. */
export function bestFolder({ dir, scratch, ...lock }: LockedFolder): LockedFolder {
  return { ...lock, dir: join(dir, BEST), scratch: join(scratch, BEST) };
}

async function finishSave({ dir, scratch }: LockedFolder): Promise<void> {
  try {
    const { run, tensorFile } = await readManifest(dir);
    if (run !== undefined && !jsonOf(run).equals(await readFile(join(dir, RUN)).catch(() => Buffer.of()))) {
      await writeDurably(join(scratch, RUN), jsonOf(run));
      await rename(join(scratch, RUN), join(dir, RUN));
    }
    await removeOlder(dir, tensorFile.split('/')[0]);
  } catch (error) {
    throw fileError('go on in', dir, error);
  }
}

/** Puts the folder of the step in place; the manifest and run.json that point to it wait in the scratch folder. */
async function placeStep({ dir, scratch }: LockedFolder, name: string, content: CheckpointContent): Promise<void> {
  const temporary = join(scratch, name);
  try {
    const files: FileEntry[] = [];
    const manifest = await writeFiles(name, content, async (path, bytes) => {
      await writeDurably(join(temporary, path), bytes);
      files.push({ path: `${name}/${path}`, bytes: bytes.length, sha256: sha256(bytes) });
    });
    const text = Buffer.from(formatManifest({ ...manifest, files }));
    // In its own folder too: by that a later run knows it for ours, should this process end before it is pointed to.
    for (const place of [temporary, scratch]) await writeDurably(join(place, MANIFEST), text);
    if (content.run !== undefined) await writeDurably(join(scratch, RUN), jsonOf(content.run));
    await rename(temporary, join(dir, name));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

async function writeFiles(folder: string, content: CheckpointContent, write: Write) {
  const { members, trainedOn, record, run } = content;
  const inputShape = [...members[0].inputShape] as ImageShape;
  const model = { kind: content.model.kind, config: { ...content.model.config }, inputShape };
  // In each file, too: what it belongs to is then no matter of its name.
  const about = { format: 'eat-dml', model: JSON.stringify(model) };
  const files = members.map((_, i) => `member-${i}.safetensors`);
  for (const [i, { weights }] of members.entries()) {
    await write(files[i], writeSafetensors(await valuesOf(`members[${i}].weights`, weights), about));
  }
  const tensors = await valuesOf('tensors', Object.entries(content.tensors));
  await write(TENSORS, writeSafetensors(tensors));
  if (trainedOn) await write('images.bin', bytesOf(trainedOn.images));
  return {
    model,
    members: files.map((file) => `${folder}/${file}`),
    tensorFile: `${folder}/${TENSORS}`,
    trainedOn: trainedOn && seenOf(trainedOn, `${folder}/images.bin`),
    record,
    run,
  };
}

function seenOf({ dataset, hash, classes, splits }: TrainedOn, imageFile: string): Manifest['trainedOn'] {
  return { dataset, hash, classes: [...classes], splits: [...splits], imageFile };
}

/** The values of float32 tensors by name. */
async function valuesOf(of: string, tensors: Iterable<readonly [string, tf.Tensor]>) {
  const read = async ([name, tensor]: readonly [string, tf.Tensor]) => {
    const values = await tensor.data();
    if (values instanceof Float32Array) return [name, { shape: tensor.shape, values }] as const;
    throw invalid(`${of} ${name}`, 'a float32 tensor', tensor);
  };
  return Promise.all([...tensors].map(read));
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  makeFolder(dirname(path));
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'w');
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file?.close();
  }
}

async function freeName(dir: string, name: string): Promise<string> {
  const taken = new Set(await readdir(dir));
  let free = name;
  for (let i = 2; taken.has(free); i++) free = `${name}-${i}`;
  return free;
}

function jsonOf(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}
