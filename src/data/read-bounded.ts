import { readFile, stat } from 'node:fs/promises';
import { EatDmlError, throwIfAborted } from '../errors.js';

/**
 * The bytes of the file at `path`, which may hold at most `most`; errors call it `what`.
 *
 * @throws EatDmlError ERR_DATA that names the file when it cannot be read, is no file, or is larger; ERR_ABORTED.
 */
export async function readBounded(
  path: string,
  most: number,
  { what = 'file', signal }: { what?: string; signal?: AbortSignal } = {},
): Promise<Buffer> {
  const failed = (cause: NodeJS.ErrnoException) => {
    throwIfAborted(signal);
    throw wrong(path, `a readable ${what}`, cause.code === 'ENOENT' ? 'none' : `${cause.code ?? cause.message}`, cause);
  };
  throwIfAborted(signal);
  const stats = await stat(path).catch(failed);
  // A pipe would be waited for.
  if (!stats.isFile()) throw wrong(path, `a readable ${what}`, stats.isDirectory() ? 'a folder' : 'no file');
  if (stats.size > most) throw wrong(path, `a ${what} of at most ${most} bytes`, `${stats.size}`);
  return readFile(path, { signal }).catch(failed);
}

function wrong(path: string, expected: string, received: string, cause?: unknown): EatDmlError {
  return new EatDmlError('ERR_DATA', `Expected ${expected} but received ${received} at ${path}.`, { cause });
}
