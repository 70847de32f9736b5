import { access } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { type Embedder, Ensemble, type ModelSpec, modelOfKind } from '../models/index.js';
import { corrupt, MANIFEST, type Manifest, parseObject, readEntry, readManifest } from './manifest.js';

/** A checkpoint read back; the caller disposes the members. */
export interface LoadedCheckpoint {
  model: Manifest['model'];
  members: Embedder[];
  /** Float32 values by name. */
  tensors: Map<string, { shape: number[]; values: Float32Array }>;
  record: unknown;
}

/** True when `dir` holds a manifest. */
export function hasCheckpoint(dir: string): Promise<boolean> {
  return access(join(dir, MANIFEST)).then(
    () => true,
    () => false,
  );
}

/**
 * Reads the checkpoint in `dir`, every file verified. `model` restores the members where this package does not know
 * their kind. ERR_CHECKPOINT names the first file that is missing, cut short or changed.
 */
export async function loadCheckpoint(dir: string, model?: ModelSpec): Promise<LoadedCheckpoint> {
  const manifest = await readManifest(dir);
  const spec = model ?? modelOfKind(manifest.model.kind, manifest.model.config);
  const tensors = readTensors(
    join(dir, manifest.tensorFile),
    manifest,
    await readEntry(dir, manifest, manifest.tensorFile),
  );
  const artifacts = await Promise.all(manifest.members.map((folder) => readMember(dir, manifest, folder)));
  const members: Embedder[] = [];
  try {
    for (const [i, saved] of artifacts.entries()) {
      members.push(spec.restore(await toLayers(join(dir, manifest.members[i], 'model.json'), saved)));
    }
  } catch (error) {
    for (const member of members) member.dispose();
    throw error;
  }
  return { model: manifest.model, members, tensors, record: manifest.record };
}

/** The ensemble of a checkpoint, to embed and to evaluate with; the caller disposes it. Errors as `loadCheckpoint`. */
export async function loadEnsemble(dir: string, model?: ModelSpec): Promise<Ensemble> {
  const { members } = await loadCheckpoint(dir, model);
  return new Ensemble(members);
}

async function readMember(dir: string, manifest: Manifest, folder: string): Promise<tf.io.ModelArtifacts> {
  const path = `${folder}/model.json`;
  const text = new TextDecoder().decode(await readEntry(dir, manifest, path));
  const { modelTopology, weightsManifest } = parseObject(join(dir, path), text) as unknown as tf.io.ModelJSON;
  const weights = await readEntry(dir, manifest, `${folder}/weights.bin`);
  // A copy: small files come as views of a buffer that they share.
  return { modelTopology, weightSpecs: weightsManifest[0].weights, weightData: new Uint8Array(weights).buffer };
}

async function toLayers(path: string, artifacts: tf.io.ModelArtifacts): Promise<tf.LayersModel> {
  return tf.loadLayersModel(tf.io.fromMemory(artifacts)).catch((cause) => {
    throw corrupt(path, 'tfjs-layers cannot load it', cause);
  });
}

function readTensors(path: string, { tensors }: Manifest, bytes: Uint8Array): LoadedCheckpoint['tensors'] {
  const all = new Float32Array(new Uint8Array(bytes).buffer);
  const read: LoadedCheckpoint['tensors'] = new Map();
  let offset = 0;
  for (const { name, shape } of tensors) {
    const size = shape.reduce((a, b) => a * b, 1);
    read.set(name, { shape, values: all.slice(offset, offset + size) });
    offset += size;
  }
  if (offset !== all.length) throw corrupt(path, `it holds ${all.length} values, not ${offset}`);
  return read;
}
