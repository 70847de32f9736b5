import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { EatDmlError } from './errors.js';

/** What the system said, as a reader says it, and what to do about it. */
type Said = readonly [what: string, remedy: string];

/** The machine is at fault: ERR_SYSTEM. Whatever is in neither list is, too. */
const MACHINE: Record<string, Said> = {
  ENOSPC: ['no space is left on the device', 'Free some, or name a place on another device.'],
  EDQUOT: ['the disk quota is used up', 'Free some, or name a place on another device.'],
  EROFS: ['the file system is read-only', 'Name a place that can be written to.'],
  EACCES: ['permission is denied', 'Name a place that you may write to.'],
  EPERM: ['it is not permitted', 'Name a place that you may write to.'],
  EMFILE: ['this process has too many files open', 'Raise the limit (ulimit -n).'],
  ENFILE: ['the system has too many files open', 'Close other programs.'],
};

/** The path that was named is at fault: ERR_PATH. */
const PATH: Record<string, Said> = {
  ENOENT: ['it is not there', 'Name a path that exists.'],
  ENOTDIR: ['a part of the path is a file and no folder', 'Name another path.'],
  EEXIST: ['a file of that name is there', 'Name another path.'],
  EISDIR: ['it is a folder', 'Name a file.'],
  ENOTEMPTY: ['it is a folder that is not empty', 'Name another path.'],
  ENAMETOOLONG: ['its name is too long', 'Name a shorter path.'],
  ELOOP: ['its links lead round in a circle', 'Name another path.'],
};

/**
 * What the system refused, as one sentence with the path: "Expected to `deed` `path` but ...". ERR_SYSTEM where the machine
 * is at fault (full, read-only, not allowed), ERR_PATH where the path is. Anything but an error of the system comes back as
 * it is.
 */
export function fileError(deed: string, path: string | undefined, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  const { code, message, syscall } = error;
  // That a program is not there says nothing about a path that the user named.
  const named = syscall.startsWith('spawn') ? undefined : PATH[code];
  const [what, hint] = named ?? MACHINE[code] ?? [`the system said "${message}"`];
  const sentence = `Expected to ${deed} ${path ?? 'a file'} but ${what} (${code}).`;
  return new EatDmlError(named ? 'ERR_PATH' : 'ERR_SYSTEM', sentence, { hint, cause: error });
}

type SystemError = Error & { code: string; syscall: string; path?: string };

/** True for what Node throws where a call of the operating system failed. */
export function isSystemError(error: unknown): error is SystemError {
  const { code, errno, syscall } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  return error instanceof Error && typeof code === 'string' && typeof errno === 'number' && typeof syscall === 'string';
}

/** Makes a folder and those above it. Unlike mkdir with `recursive`, it says of a read-only disk that it is one. */
export function makeFolder(path: string, above = true): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && above && dirname(path) !== path) {
      makeFolder(dirname(path));
      makeFolder(path, false);
    } else if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      throw error;
    }
  }
}
