import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { dataFault, EatDmlError } from '../../errors.js';
import { fileError } from '../../files.js';
import { counter, type LongWork } from '../../long-work.js';
import { writeAtomically } from '../../write-atomically.js';
import type { Archive } from './archive.js';
import { openParquet, type RowOptions } from './parquet-rows.js';

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
export async function parquetArchive(path: string, cacheDir: string, work: LongWork = {}): Promise<Archive> {
  const files = await parquetFiles(path);
  const root = join(cacheDir, 'parquet', await keyOf(files));
  const { labels, names } = (await readIndex(root)) ?? (await extract(files, root, work));
  return {
    ...{ layout: 'parquet', root, labels: Int32Array.from(labels) },
    files: labels.map((_, i) => fileOf(i)),
    classNames: new Map(names.entries()),
    sides: halvesOf(labels),
  };
}

/** Labels, names and sides alone: no image is read, and nothing is kept. Faults of rows go to `onFault`. */
export async function parquetLabels(
  path: string,
  options: Omit<RowOptions, 'images'>,
): Promise<Pick<Archive, 'layout' | 'labels' | 'classNames' | 'sides'>> {
  const labels: number[] = [];
  let classNames: Archive['classNames'] = new Map();
  for (const file of await parquetFiles(path)) {
    const { names, rows } = await openParquet(file);
    if (names.length > 0) classNames = new Map(names.entries());
    for await (const { label } of rows({ ...options, images: false })) labels.push(label);
  }
  return { layout: 'parquet', labels: Int32Array.from(labels), classNames, sides: halvesOf(labels) };
}

/** True where there is a Parquet file at `path`, or a folder of them. */
export async function holdsParquet(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ? isParquet(path) : (await partsIn(path)).length > 0;
}

function halvesOf(labels: readonly number[]): Archive['sides'] {
  const classes = [...new Set(labels)].sort((a, b) => a - b);
  const learnt = new Set(classes.slice(0, Math.floor(classes.length / 2)));
  const rows = (train: boolean) => Int32Array.from(labels.keys()).filter((i) => learnt.has(labels[i]) === train);
  return { train: rows(true), test: rows(false) };
}

const fileOf = (i: number) => `${Math.floor(i / IN_FOLDER)}/${i}`;
const isParquet = (name: string) => name.endsWith('.parquet');

/** The file itself, or those in the folder and in `data` below it, by their names. */
async function parquetFiles(path: string): Promise<string[]> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isFile()) return [path];
  const found = await partsIn(path);
  if (found.length > 0) return found;
  throw new EatDmlError('ERR_DATA', `Expected a Parquet file, or a folder of them, at ${path} but received none.`);
}

async function partsIn(path: string): Promise<string[]> {
  for (const folder of [path, join(path, 'data')]) {
    const names = await readdir(folder).catch(() => []);
    const found = names.filter((name) => isParquet(name) && !name.startsWith('.')).sort();
    if (found.length > 0) return found.map((name) => join(folder, name));
  }
  return [];
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

async function extract(files: readonly string[], root: string, { signal, onProgress }: LongWork): Promise<Index> {
  const found: Index = { labels: [], names: [] };
  const opened = [];
  for (const file of files) opened.push(await openParquet(file));
  const total = opened.reduce((sum, { count }) => sum + count, 0);
  const copied = counter('copy', total, onProgress);
  for (const { names, rows } of opened) {
    if (names.length > 0) found.names = names;
    for await (const { label, image } of rows({ images: true, onFault: raise, signal })) {
      await keep(root, found.labels.length, image!);
      found.labels.push(label);
      copied();
    }
  }
  if (found.labels.length === 0) throw dataFault(files[0], 'at least one image', 'none');
  await writeAtomically(join(root, INDEX), Buffer.from(JSON.stringify(found)));
  return found;
}

function raise(fault: EatDmlError): never {
  throw fault;
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
