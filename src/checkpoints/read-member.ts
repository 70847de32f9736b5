import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ImageShape } from '../models/index.js';
import { float32Values, readSafetensors } from '../models/safetensors.js';
import { corrupt, type Manifest, readEntry } from './manifest.js';

/** Float32 values by name. */
export type SavedTensors = Map<string, { shape: number[]; values: Float32Array }>;

/** A member's variables, checked against the manifest; nothing is built yet. */
export interface SavedMember {
  /** The file of its weights, for messages. */
  file: string;
  inputShape: ImageShape;
  weights: SavedTensors;
}

export async function readMember(dir: string, manifest: Manifest, path: string): Promise<SavedMember> {
  const file = join(dir, path);
  const { tensors, metadata } = safetensorsIn(file, await readEntry(dir, manifest, path));
  const { inputShape } = manifest.model;
  if (!inputShape || !isDeepStrictEqual(modelIn(metadata), manifest.model)) {
    throw corrupt(file, `it is of the model ${metadata.get('model')}, not ${JSON.stringify(manifest.model)}`);
  }
  return { file, inputShape, weights: tensors };
}

/** The tensors of a file that holds nothing but float32. */
export function tensorsIn(file: string, bytes: Uint8Array): SavedTensors {
  return safetensorsIn(file, bytes).tensors;
}

function safetensorsIn(file: string, bytes: Uint8Array) {
  const { tensors, metadata } = readSafetensors(bytes, (what) => corrupt(file, what));
  const saved: SavedTensors = new Map();
  for (const [name, tensor] of tensors) {
    if (tensor.dtype !== 'F32') throw corrupt(file, `its tensor ${JSON.stringify(name)} is ${tensor.dtype}, not F32`);
    saved.set(name, { shape: tensor.shape, values: float32Values(tensor) });
  }
  return { tensors: saved, metadata };
}

function modelIn(metadata: ReadonlyMap<string, string>): unknown {
  try {
    return JSON.parse(metadata.get('model') ?? 'null');
  } catch {
    return undefined;
  }
}
