import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { z } from 'zod';
import { EatDmlError, throwIfAborted } from '../errors.js';
import { fileError } from '../files.js';
import { writeAtomically } from '../write-atomically.js';
import { dataFault } from './fault.js';
import type { Archive } from './layouts/archive.js';
import type { ReadOptions } from './source.js';

/** What the column of classes is called. */
const LABELS = ['label', 'labels'];
/** Files in one folder of the cache. */
const IN_FOLDER = 1000;
const INDEX = 'index.json';

const index = z.object({ labels: z.array(z.int32()), names: z.array(z.string()) });
type Index = z.infer<typeof index>;

/**
 * Images in Parquet files as Hugging Face lays them out: a column `image` of {bytes, path}, and `label`. `path` is a file, or a
 * folder of them, whose parts are pooled: published sides are those of classification. Of the classes, by their numbers, the
 * first half (rounded down) is train and the rest test. The images are copied once into `cacheDir` as files, from which any can be read.
 *
 * @throws EatDmlError ERR_DATA that names file and row; ERR_SYSTEM or ERR_PATH where the cache cannot be written; ERR_ABORTED.
 */
export async function parquetArchive(path: string, cacheDir: string, { signal }: ReadOptions = {}): Promise<Archive> {
  const files = await parquetFiles(path);
  const root = join(cacheDir, 'parquet', await keyOf(files));
  const { labels, names } = (await readIndex(root)) ?? (await extract(files, root, signal));
  const classes = [...new Set(labels)].sort((a, b) => a - b);
  const learnt = new Set(classes.slice(0, Math.floor(classes.length / 2)));
  const rows = (train: boolean) => Int32Array.from(labels.keys()).filter((i) => learnt.has(labels[i]) === train);
  return {
    ...{ layout: 'parquet', root, labels: Int32Array.from(labels) },
    files: labels.map((_, i) => fileOf(i)),
    classNames: new Map(names.entries()),
    sides: { train: rows(true), test: rows(false) },
  };
}

const fileOf = (i: number) => `${Math.floor(i / IN_FOLDER)}/${i}`;

/** The file itself, or those in the folder and in `data` below it, by their names. */
async function parquetFiles(path: string): Promise<string[]> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isFile()) return [path];
  for (const folder of [path, join(path, 'data')]) {
    const names = await readdir(folder).catch(() => []);
    const found = names.filter((name) => name.endsWith('.parquet') && !name.startsWith('.')).sort();
    if (found.length > 0) return found.map((name) => join(folder, name));
  }
  throw new EatDmlError('ERR_DATA', `Expected a Parquet file, or a folder of them, at ${path} but received none.`);
}

/** Changes whenever one of the files does. */
async function keyOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    const { size, mtimeMs } = await stat(file);
    hash.update(`${resolve(file)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 32);
}

/** What was extracted before, whole: the index is written last. */
async function readIndex(root: string): Promise<Index | undefined> {
  try {
    return index.parse(JSON.parse(await readFile(join(root, INDEX), 'utf8')));
  } catch {
    return undefined;
  }
}

async function extract(files: readonly string[], root: string, signal?: AbortSignal): Promise<Index> {
  const found: Index = { labels: [], names: [] };
  for (const file of files) {
    await extractFile(file, root, found, signal).catch((error) => {
      if (error instanceof EatDmlError) throw error;
      throw dataFault(file, 'a Parquet file', (error as Error).message);
    });
  }
  if (found.labels.length === 0) throw dataFault(files[0], 'at least one image', 'none');
  await writeAtomically(join(root, INDEX), Buffer.from(JSON.stringify(found)));
  return found;
}

async function extractFile(path: string, root: string, found: Index, signal?: AbortSignal): Promise<void> {
  const file = await asyncBufferFromFile(path);
  const metadata = bytesAlone(await parquetMetadataAsync(file));
  const columns = metadata.schema.map(({ name }) => name);
  const label = LABELS.find((name) => columns.includes(name));
  if (!columns.includes('image') || !label)
    throw dataFault(path, 'columns image and label', columns.slice(1).join(', '));
  const names = namesOf(metadata, label);
  if (names.length > 0) found.names = names;
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    throwIfAborted(signal);
    const rowEnd = rowStart + Number(group.num_rows);
    const read = { file, metadata, rowStart, rowEnd, compressors, utf8: false };
    // One after the other: where several fail at a time, hyparquet hears of the first, and the process of the others.
    const images = await parquetReadObjects({ ...read, columns: ['image'] });
    const labels = await parquetReadObjects({ ...read, columns: [label] });
    for (const [i, row] of images.entries()) {
      const image = (row.image as { bytes?: unknown } | null)?.bytes ?? row.image;
      if (!(image instanceof Uint8Array))
        throw dataFault(path, `bytes of an image in row ${rowStart + i}`, typeof image);
      const given = labels[i]?.[label];
      const number = Number(given ?? Number.NaN);
      if (!Number.isInteger(number)) throw dataFault(path, `an integer as ${label} in row ${rowStart + i}`, `${given}`);
      await keep(root, found.labels.length, image);
      found.labels.push(number);
    }
    rowStart = rowEnd;
  }
}

/** The file without what stands beside the bytes of an image, such as its path. */
function bytesAlone(metadata: FileMetaData): FileMetaData {
  const at = metadata.schema.findIndex(({ name }) => name === 'image');
  const children = metadata.schema[at]?.num_children ?? 0;
  const inside = metadata.schema.slice(at + 1, at + 1 + children);
  // Deeper nesting is no image of ours: it is refused by its values.
  if (at < 0 || children < 2 || inside.some(({ num_children: deeper }) => deeper)) return metadata;
  const kept = inside.filter(({ name }) => name === 'bytes');
  const image = { ...metadata.schema[at], num_children: kept.length };
  const schema = [...metadata.schema.slice(0, at), image, ...kept, ...metadata.schema.slice(at + 1 + children)];
  const groups = metadata.row_groups.map((group) => ({
    ...group,
    columns: group.columns.filter(({ meta_data: column }) => {
      const [first, second] = column?.path_in_schema ?? [];
      return first !== 'image' || second === 'bytes';
    }),
  }));
  return { ...metadata, schema, row_groups: groups };
}

async function keep(root: string, i: number, bytes: Uint8Array): Promise<void> {
  const path = join(root, fileOf(i));
  try {
    if (i % IN_FOLDER === 0) await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, bytes);
  } catch (error) {
    throw fileError('write', path, error);
  }
}

/** Names of the classes, as Hugging Face writes them into the file. */
function namesOf({ key_value_metadata: pairs = [] }: FileMetaData, label: string): string[] {
  const text = pairs.find(({ key }) => key === 'huggingface')?.value;
  try {
    const names = JSON.parse(text ?? '{}').info?.features?.[label]?.names;
    return Array.isArray(names) ? names.map(String) : [];
  } catch {
    return [];
  }
}
