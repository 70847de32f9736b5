import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EatDmlError } from '../errors.js';

/** A file of a checkpoint: path below the checkpoint's folder, size in bytes, SHA-256 in hex. */
export interface FileEntry {
  path: string;
  bytes: number;
  sha256: string;
}

/** manifest.json: what a checkpoint holds. Its last field is the SHA-256 of all that comes before it. */
export interface Manifest {
  format: 'eat-dml-checkpoint';
  version: 1;
  /** Kind and configuration of the members' model. */
  model: { kind: string; config: Record<string, number> };
  /** Folders of the members, each with a tfjs-layers model.json and weights.bin. */
  members: string[];
  /** Name and shape of each float32 tensor of tensors.bin, in order. */
  tensors: { name: string; shape: number[] }[];
  /** File that holds them. */
  tensorFile: string;
  /** The trainer's own record, as JSON. */
  record: unknown;
  files: FileEntry[];
}

export const MANIFEST = 'manifest.json';
const FORMAT = 'eat-dml-checkpoint';
const VERSION = 1;

export function corrupt(file: string, what: string, cause?: unknown): EatDmlError {
  return new EatDmlError('ERR_CHECKPOINT', `Expected ${file} to be part of a sound checkpoint but ${what}.`, { cause });
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The manifest as the text of its file. */
export function formatManifest(manifest: Omit<Manifest, 'format' | 'version'>): string {
  const body: Manifest = { format: FORMAT, version: VERSION, ...manifest };
  return `${JSON.stringify({ ...body, checksum: sha256(JSON.stringify(body)) }, null, 2)}\n`;
}

/** The manifest in `dir`; ERR_CHECKPOINT when there is none, when it was changed, or when another version wrote it. */
export async function readManifest(dir: string): Promise<Manifest> {
  const path = join(dir, MANIFEST);
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new EatDmlError('ERR_CHECKPOINT', `Expected a checkpoint in ${dir} but ${MANIFEST} cannot be read.`, {
      cause,
    });
  });
  const { checksum, ...body } = parseObject(path, text);
  if (body.format !== FORMAT) throw corrupt(path, `its format is ${JSON.stringify(body.format)}`);
  if (body.version !== VERSION) throw corrupt(path, `its version is ${JSON.stringify(body.version)}, not ${VERSION}`);
  if (checksum !== sha256(JSON.stringify(body))) throw corrupt(path, 'its checksum does not fit its content');
  return body as unknown as Manifest;
}

/** One file of the checkpoint, with size and checksum verified. */
export async function readEntry(dir: string, manifest: Manifest, path: string): Promise<Uint8Array> {
  const entry = manifest.files.find((file) => file.path === path);
  const full = join(dir, path);
  if (!entry || path.split('/').includes('..')) throw corrupt(full, 'the manifest does not list it');
  const bytes = await readFile(full).catch((cause) => {
    throw corrupt(full, 'it cannot be read', cause);
  });
  if (bytes.length !== entry.bytes) throw corrupt(full, `it holds ${bytes.length} bytes, not ${entry.bytes}`);
  if (sha256(bytes) !== entry.sha256) throw corrupt(full, 'its checksum does not fit its content');
  return bytes;
}

export function parseObject(path: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw corrupt(path, 'it is no JSON', cause);
  }
  throw corrupt(path, 'it holds no JSON object');
}
