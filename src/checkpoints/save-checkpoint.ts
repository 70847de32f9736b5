import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { fileError, makeFolder } from '../files.js';
import type { Embedder, ImageShape, ModelSpec, TrainedOn } from '../models/index.js';
import type { LockedFolder } from './lock-folder.js';
import { type FileEntry, formatManifest, MANIFEST, type Manifest, readManifest, sha256 } from './manifest.js';
import { RUN, removeOlder } from './own-files.js';

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
  const { model, members, trainedOn, record, run } = content;
  for (const [i, member] of members.entries()) await writeMember(`member-${i}`, member.layers, write);
  const tensors = Object.entries(content.tensors);
  await write('tensors.bin', await concatenated(tensors.map(([, tensor]) => tensor)));
  if (trainedOn) await write('images.bin', bytesOf(trainedOn.images));
  return {
    model: { kind: model.kind, config: { ...model.config }, inputShape: [...members[0].inputShape] as ImageShape },
    members: members.map((_, i) => `${folder}/member-${i}`),
    tensors: tensors.map(([name, { shape }]) => ({ name, shape })),
    tensorFile: `${folder}/tensors.bin`,
    trainedOn: trainedOn && seenOf(trainedOn, `${folder}/images.bin`),
    record,
    run,
  };
}

function seenOf({ dataset, hash, classes, splits }: TrainedOn, imageFile: string): Manifest['trainedOn'] {
  return { dataset, hash, classes: [...classes], splits: [...splits], imageFile };
}

/** A tfjs-layers model.json and weights.bin, as tf.loadLayersModel reads them. */
async function writeMember(folder: string, layers: tf.LayersModel, write: Write): Promise<void> {
  const { modelTopology, weightSpecs, weightData, format, generatedBy, convertedBy } = await artifactsOf(layers);
  const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
  const json = JSON.stringify({ modelTopology, format, generatedBy, convertedBy, weightsManifest });
  await write(`${folder}/model.json`, Buffer.from(json));
  await write(`${folder}/weights.bin`, new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)));
}

async function artifactsOf(layers: tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  const handler = tf.io.withSaveHandler(async (saved) => {
    artifacts = saved;
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
  });
  await layers.save(handler);
  return artifacts!;
}

/** The tensors' float32 values one after the other, little-endian like every platform Node runs on. */
async function concatenated(tensors: tf.Tensor[]): Promise<Uint8Array> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data<'float32'>()));
  return Buffer.concat(values.map(bytesOf));
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

function jsonOf(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}
