import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { Embedder, ModelSpec } from '../models/index.js';
import { type FileEntry, formatManifest, MANIFEST, sha256 } from './manifest.js';

/** What a checkpoint stores. */
export interface CheckpointContent {
  model: Pick<ModelSpec, 'kind' | 'config'>;
  members: readonly Embedder[];
  /** Further float32 tensors by name: proxies, the optimiser's moments. Not disposed. */
  tensors: Record<string, tf.Tensor>;
  /** Whatever else must come back, as JSON. */
  record: unknown;
}

/**
 * Writes a checkpoint into `dir` (made when missing): a new folder `step-<step>` with every file, then, in one
 * rename, the manifest that points to it, then removes what older checkpoints left. Killed at any point, `dir` holds
 * the previous checkpoint or this one, whole.
 */
export async function saveCheckpoint(dir: string, step: number, content: CheckpointContent): Promise<void> {
  await mkdir(dir, { recursive: true });
  const folder = await freeName(dir, `step-${step}`);
  const temporary = join(dir, `.tmp-${process.pid}-${folder}`);
  const files: FileEntry[] = [];
  const write = async (path: string, bytes: Uint8Array) => {
    await writeDurably(join(temporary, path), bytes);
    files.push({ path: `${folder}/${path}`, bytes: bytes.length, sha256: sha256(bytes) });
  };
  try {
    for (const [i, member] of content.members.entries()) await writeMember(`member-${i}`, member.layers, write);
    const tensors = Object.entries(content.tensors);
    await write('tensors.bin', await concatenated(tensors.map(([, tensor]) => tensor)));
    await rename(temporary, join(dir, folder));
    const manifest = formatManifest({
      model: { kind: content.model.kind, config: { ...content.model.config } },
      members: content.members.map((_, i) => `${folder}/member-${i}`),
      tensors: tensors.map(([name, { shape }]) => ({ name, shape })),
      tensorFile: `${folder}/tensors.bin`,
      record: content.record,
      files,
    });
    const pending = join(dir, `.tmp-${process.pid}-${MANIFEST}`);
    await writeDurably(pending, Buffer.from(manifest));
    await rename(pending, join(dir, MANIFEST));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await removeOthers(dir, folder);
}

/** A tfjs-layers model.json and weights.bin, as tf.loadLayersModel reads them. */
async function writeMember(
  folder: string,
  layers: tf.LayersModel,
  write: (path: string, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
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
  return Buffer.concat(values.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)));
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
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

/** Older checkpoints and what a killed process left; nothing that this package did not name. */
async function removeOthers(dir: string, keep: string): Promise<void> {
  const ours = (name: string) => name.startsWith('.tmp-') || /^step-\d+(-\d+)?$/.test(name);
  for (const name of await readdir(dir)) {
    if (name !== keep && ours(name)) await rm(join(dir, name), { recursive: true, force: true });
  }
}
