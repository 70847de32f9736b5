import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EatDmlError } from '../errors.js';
import { writeAtomically } from '../write-atomically.js';
import type { Dataset } from './dataset.js';
import { bytesOf, decodeIdx, encodeIdxFile, type IdxArray } from './idx.js';
import { datasetOfIdx, type IdxFile } from './idx-dataset.js';

/** Where a data set is kept once it was parsed: two IDX files, perhaps one of names, and the checksums of all in one folder. */
export interface Cache {
  /** Of the data set. */
  name: string;
  /** As messages call it. */
  title: string;
  folder: string;
  images: string;
  labels: string;
  /** The names of the images, a list in JSON; only where they have some. */
  names?: string;
  /** Of one image. */
  shape: readonly [height: number, width: number, channels: number];
}

/** What a data set was parsed into, [n, h, w] or [n, h, w, c] and [n]. */
export interface ParsedArrays {
  images: IdxArray;
  labels: IdxArray;
  /** What each image is called, where the cache has a file for it. */
  names?: readonly string[];
}

/** SHA-256 of every file, in hex, by its name. */
const CHECKSUMS = 'checksums.json';

/**
 * The data set that is kept, every file verified; undefined where there is none, or one without checksums.
 *
 * @throws EatDmlError ERR_DATA that names the file that is missing or damaged.
 */
export async function readCache(cache: Cache): Promise<Dataset | undefined> {
  const checksums = await readChecksums(join(cache.folder, CHECKSUMS));
  if (!checksums) return undefined;
  const read = (file: string, what?: string) => verified(join(cache.folder, file), checksums[file], what);
  const [images, labels, names] = await Promise.all([
    read(cache.images).then(decoded),
    read(cache.labels).then(decoded),
    cache.names === undefined ? undefined : read(cache.names, 'list of names'),
  ]);
  const dataset = datasetOfIdx(cache.name, images, labels, cache.shape);
  // Its checksum says that it is as it was written.
  return names ? { ...dataset, names: JSON.parse(Buffer.from(names.bytes).toString()) } : dataset;
}

/** Keeps the arrays; the checksums last, so that a cache without them was not finished. Errors of `writeIdx`. */
export async function writeCache(cache: Cache, { images, labels, names }: ParsedArrays): Promise<void> {
  const checksums: Record<string, string> = {};
  const write = async (file: string, encode: (path: string) => Promise<Uint8Array> | Uint8Array) => {
    const path = join(cache.folder, file);
    const bytes = await encode(path);
    checksums[file] = sha256(bytes);
    await writeAtomically(path, bytes);
  };
  await write(cache.images, (path) => encodeIdxFile(path, images));
  await write(cache.labels, (path) => encodeIdxFile(path, labels));
  if (cache.names !== undefined) await write(cache.names, () => Buffer.from(`${JSON.stringify(names)}\n`));
  await writeAtomically(join(cache.folder, CHECKSUMS), Buffer.from(`${JSON.stringify(checksums, null, 2)}\n`));
}

/** The data set of the arrays, which are kept; that they cannot be is a process warning. */
export async function keep(cache: Cache, arrays: ParsedArrays): Promise<Dataset> {
  await writeCache(cache, arrays).catch((error: Error) => {
    process.emitWarning(`eat-dml keeps no cache of ${cache.title}: ${error.message}`);
  });
  const file = (name: string, array: IdxArray) => ({ path: join(cache.folder, name), array });
  const [images, labels] = [file(cache.images, arrays.images), file(cache.labels, arrays.labels)];
  const dataset = datasetOfIdx(cache.name, images, labels, cache.shape);
  return arrays.names ? { ...dataset, names: arrays.names } : dataset;
}

/**
 * What `damage` was found in, made anew and kept, with a process warning.
 *
 * @throws EatDmlError ERR_DATA, the damage with its remedy, where it cannot be made.
 */
export async function remake(
  cache: Cache,
  damage: unknown,
  remedy: string,
  make: () => Promise<ParsedArrays>,
): Promise<Dataset> {
  if (!(damage instanceof EatDmlError)) throw damage;
  const arrays = await make().catch((cause) => {
    if (cause instanceof EatDmlError && cause.code === 'ERR_ABORTED') throw cause;
    throw new EatDmlError('ERR_DATA', damage.message, { hint: remedy, cause });
  });
  process.emitWarning(`eat-dml made the cache of ${cache.title} anew. ${damage.message}`);
  return keep(cache, arrays);
}

async function verified(path: string, checksum: unknown, what?: string): Promise<{ path: string; bytes: Uint8Array }> {
  const bytes = await bytesOf(path, what);
  if (sha256(bytes) === checksum) return { path, bytes };
  throw new EatDmlError(
    'ERR_DATA',
    `Expected the bytes that were kept but received others in ${path}: their SHA-256 differs.`,
  );
}

async function decoded({ path, bytes }: { path: string; bytes: Uint8Array }): Promise<IdxFile> {
  return { path, array: await decodeIdx(bytes, path) };
}

async function readChecksums(path: string): Promise<Record<string, unknown> | undefined> {
  try {
    const checksums: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof checksums === 'object' && checksums !== null) return checksums as Record<string, unknown>;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new EatDmlError('ERR_DATA', `Expected readable checksums but received ${code ?? 'no JSON'} at ${path}.`, {
      cause,
    });
  }
  throw new EatDmlError('ERR_DATA', `Expected the checksums of files but received another JSON in ${path}.`);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
