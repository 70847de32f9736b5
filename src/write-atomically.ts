import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { access, type FileHandle, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EatDmlError } from './errors.js';
import { fileError, makeFolder } from './files.js';

/**
 * Writes `bytes` to `path` so that a reader, or another writer, sees the old file or the whole new one: into a file of
 * its own beside it, flushed to the disk, then renamed. Creates the folder; leaves nothing behind when it fails. A link
 * stays one, and what is no file (a pipe, a device such as /dev/null) is written to as it is.
 *
 * @throws EatDmlError ERR_SYSTEM or ERR_PATH that names `path`.
 */
export async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  try {
    const there = await statOf(path);
    if (there && !there.isFile()) await writeFile(path, bytes);
    else await replace(there ? await realpath(path) : path, (file) => file.writeFile(bytes));
  } catch (error) {
    throw fileError('write', path, error);
  }
}

/**
 * {@link writeAtomically} of more than fits into memory: `fill` writes it piece by piece. What `fill` throws of its own comes
 * through as it is.
 */
export async function fillAtomically(path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    const there = await statOf(path);
    await replace(there ? await realpath(path) : path, fill);
  } catch (error) {
    throw fileError('write', path, error);
  }
}

/** More than the reports that are written here: a disk too full for one is found out. */
const PROBE = new Uint8Array(1 << 18);

/**
 * Throws what {@link writeAtomically} would, as far as that can be told before there is anything to write: call it before
 * work whose result would be lost. Creates the folder.
 */
export async function checkWritable(path: string): Promise<void> {
  try {
    const there = await statOf(path);
    if (there && !there.isFile()) await access(path, constants.W_OK);
    else await withTemporary(there ? await realpath(path) : path, (file) => file.writeFile(PROBE), rm);
  } catch (error) {
    throw fileError('write', path, error);
  }
}

/** What lies at `path`, links followed; undefined where nothing does, an error where a folder does. */
async function statOf(path: string): Promise<Stats | undefined> {
  const there = await stat(path).catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!there?.isDirectory()) return there;
  throw new EatDmlError('ERR_PATH', `Expected to write ${path} but it is a folder (EISDIR).`, { hint: 'Name a file.' });
}

type Fill = (file: FileHandle) => Promise<void>;

function replace(path: string, fill: Fill): Promise<void> {
  return withTemporary(path, fill, (temporary) => rename(temporary, path));
}

/** Fills a new file beside `path` and does `then` with it. */
async function withTemporary(path: string, fill: Fill, then: (temporary: string) => Promise<void>) {
  const folder = dirname(path);
  makeFolder(folder);
  const temporary = join(folder, `.eat-dml-${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await fill(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await then(temporary);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
