import { cp, mkdir, mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { findLayout } from '../../../src/data/layouts/find-layout.js';
import type { EatDmlError } from '../../../src/errors.js';

export const FIXTURES = 'test/data/fixtures';

/** The lines of a miniature's list, one of them replaced. */
export async function withLine(path: string, number: number, text: string): Promise<string> {
  const lines = (await readFile(join(FIXTURES, path), 'utf8')).split('\n');
  return lines.toSpliced(number - 1, 1, text).join('\n');
}

/** A folder for each test of a file, in which a miniature is damaged. */
export function damaged() {
  let root = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'eat-dml-faults-'));
  });
  afterEach(() => rm(root, { recursive: true }));
  const copy = (miniature: string) => cp(join(FIXTURES, miniature), root, { recursive: true });
  /** What reading it says, with ROOT for the folder. */
  const outcome = async () => {
    const told = (error: EatDmlError) => `${error.code}: ${error.message.replaceAll(root, 'ROOT')}`;
    return findLayout(root)
      .then(({ read }) => read())
      .then(() => 'read', told);
  };
  /** The {@link outcome} of a miniature whose list `file` has that content; none for no list. */
  const said = async (miniature: string, file: string, content?: string | Uint8Array) => {
    await copy(miniature);
    await mkdir(dirname(join(root, file)), { recursive: true });
    if (content === undefined) await unlink(join(root, file));
    else await writeFile(join(root, file), content);
    return outcome();
  };
  const at = (...names: string[]) => join(root, ...names);
  return { at, copy, outcome, said };
}
