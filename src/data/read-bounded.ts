import { readFile, stat } from 'node:fs/promises';
import { EatDmlError } from '../errors.js';

/**
 * The bytes of the file at `path`, which may hold at most `most`.
 *
 * @throws EatDmlError ERR_DATA that names the file when it cannot be read, is no file, or is larger.
 */
export async function readBounded(path: string, most: number): Promise<Buffer> {
  const failed = (cause: NodeJS.ErrnoException) => {
    throw wrong(path, 'a readable file', cause.code === 'ENOENT' ? 'none' : `${cause.code}`, cause);
  };
  const stats = await stat(path).catch(failed);
  // A pipe would be waited for.
  if (!stats.isFile()) throw wrong(path, 'a readable file', stats.isDirectory() ? 'a folder' : 'no file');
  if (stats.size > most) throw wrong(path, `a file of at most ${most} bytes`, `${stats.size}`);
  return readFile(path).catch(failed);
}

function wrong(path: string, expected: string, received: string, cause?: unknown): EatDmlError {
  return new EatDmlError('ERR_DATA', `Expected ${expected} but received ${received} at ${path}.`, { cause });
}
