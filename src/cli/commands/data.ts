import { spawn } from 'node:child_process';
import { buildEmojiCache, defaultCacheDir, EMOJI_PACKAGES, emojiPackagesDir } from '../../data/index.js';
import { FETCH_EMOJI } from '../../data/sets/emoji-packages.js';
import { EatDmlError } from '../../errors.js';
import { makeFolder } from '../../files.js';
import { printResult } from '../options.js';

/** Decodes images; the version that the package names as its optional peer. */
const SHARP = 'sharp@^0.35.5';

export interface DataFlags {
  json?: boolean;
  cache?: string;
}

/** `eat-dml data emoji`: fetches four vendors' emoji and sharp through npm, decodes them, and keeps the result. */
export async function dataCommand(_name: 'emoji', { json, cache = defaultCacheDir() }: DataFlags): Promise<void> {
  const packages = emojiPackagesDir(cache);
  makeFolder(packages);
  const wanted = Object.entries(EMOJI_PACKAGES).map(([name, version]) => `${name}@${version}`);
  process.stderr.write(`npm install ${[...wanted, SHARP].join(' ')} (some 330 MB) into ${packages}\n`);
  await npmInstall(packages, [...wanted, SHARP]);
  process.stderr.write('decoding\n');
  const { classes, images } = await buildEmojiCache(cache).catch((error) => {
    throw withNpmHint(error, packages);
  });
  printResult(
    json,
    { command: 'data', name: 'emoji', cache, classes, images },
    `${images} images of ${classes} emoji in ${cache}`,
  );
}

/** What npm has just installed is not there, or not sound: to run this again would change nothing. */
function withNpmHint(error: unknown, packages: string): unknown {
  if (!(error instanceof EatDmlError) || error.hint !== FETCH_EMOJI) return error;
  const hint = `npm said that it installed them. Remove ${packages} and run this again.`;
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
