import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EatDmlError } from '../errors.js';

/** A file below the folder of one step: no way out of it, and nothing hidden. */
const path = z.string().regex(/^step-\d+(-\d+)?(\/[\w-][\w.-]*)+$/);
const size = z.int().nonnegative();
/** Of an image: none is larger, and a larger one in a file is damage, which must not be built. */
const side = z
  .int()
  .positive()
  .max(1 << 14);
const sha = z.string().regex(/^[0-9a-f]{64}$/);

/** manifest.json: what a checkpoint holds. After the last field comes the SHA-256 of all that is before it. */
const manifestSchema = z.object({
  format: z.literal('eat-dml-checkpoint'),
  /** 1: members in the tfjs-layers format, tensors one after another. 2: both as safetensors. */
  version: z.literal([1, 2]),
  /** Kind and configuration of the members' model, and the images it takes. */
  model: z.object({
    kind: z.string(),
    config: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
    /** Absent in some of version 1. */
    inputShape: z.tuple([side, side, side]).optional(),
  }),
  /** Files of the members' variables by name; in version 1 folders, each with a tfjs-layers model.json and weights.bin. */
  members: z.array(path).min(1),
  /** In version 1: name and shape of each float32 tensor of the tensor file, in order. */
  tensors: z.array(z.object({ name: z.string(), shape: z.array(size) })).optional(),
  /** The trainer's tensors. */
  tensorFile: path,
  /** What the members learnt from; the file holds eight bytes of every image's SHA-256. */
  trainedOn: z
    .object({
      dataset: z.string(),
      hash: sha,
      classes: z.array(z.int()),
      splits: z.array(
        z.object({ id: sha, kind: z.enum(['zero-shot', 'closed-set']), side: z.enum(['train', 'test']) }),
      ),
      imageFile: path,
    })
    .optional(),
  /** The trainer's own record, as JSON. */
  record: z.unknown().optional(),
  /** What run.json beside the manifest says. */
  run: z.unknown().optional(),
  /** Path below the checkpoint's folder, size in bytes, SHA-256 in hex. */
  files: z.array(z.object({ path, bytes: size, sha256: sha })),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type FileEntry = Manifest['files'][number];

export const MANIFEST = 'manifest.json';
const FORMAT = 'eat-dml-checkpoint';
const VERSION = 2;

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
    const missing = existsSync(dir) ? `it has no ${MANIFEST}` : 'there is no such folder';
    const found = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? missing : `${MANIFEST} cannot be read`;
    throw new EatDmlError('ERR_CHECKPOINT', `Expected a checkpoint in ${dir} but ${found}.`, { cause });
  });
  const { checksum, ...body } = parseObject(path, text);
  if (body.format !== FORMAT) throw corrupt(path, `its format is ${JSON.stringify(body.format)}`);
  if (body.version !== 1 && body.version !== VERSION) {
    throw corrupt(path, `its version is ${JSON.stringify(body.version)}, not 1 or ${VERSION}`);
  }
  if (checksum !== sha256(JSON.stringify(body))) throw corrupt(path, 'its checksum does not fit its content');
  return checked(path, body, manifestSchema);
}

/** `value` where it fits `schema`; else ERR_CHECKPOINT that names the file and the first key that does not. */
export function checked<T>(file: string, value: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  throw corrupt(file, `its ${path.join('.') || 'content'} is wrong: ${message}`, result.error);
}

/** One file of the checkpoint, with size and checksum verified. */
export async function readEntry(dir: string, manifest: Manifest, path: string): Promise<Uint8Array> {
  const entry = manifest.files.find((file) => file.path === path);
  const full = join(dir, path);
  if (!entry) throw corrupt(full, 'the manifest does not list it');
  const unread = (cause: unknown) => {
    throw corrupt(full, 'it cannot be read', cause);
  };
  // Before memory is taken for it.
  const { size } = await stat(full).catch(unread);
  if (size !== entry.bytes) throw corrupt(full, `it holds ${size} bytes, not ${entry.bytes}`);
  const bytes = await readFile(full).catch(unread);
  if (sha256(bytes) !== entry.sha256) throw corrupt(full, 'its checksum does not fit its content');
  return bytes;
}

export function parseObject(path: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw corrupt(path, 'it is no JSON', cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw corrupt(path, 'it holds no JSON object');
}
