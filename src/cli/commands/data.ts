import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { buildEmojiCache, defaultCacheDir, EMOJI_PACKAGES, emojiPackagesDir } from '../../data/index.js';
import { EatDmlError } from '../../errors.js';
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
  await mkdir(packages, { recursive: true });
  const wanted = Object.entries(EMOJI_PACKAGES).map(([name, version]) => `${name}@${version}`);
  process.stderr.write(`npm install ${[...wanted, SHARP].join(' ')} (some 330 MB) into ${packages}\n`);
  await npmInstall(packages, [...wanted, SHARP]);
  process.stderr.write('decoding\n');
  const { classes, images } = await buildEmojiCache(cache);
  printResult(
    json,
    { command: 'data', name: 'emoji', cache, classes, images },
    `${images} images of ${classes} emoji in ${cache}`,
  );
}

function npmInstall(folder: string, names: string[]): Promise<void> {
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder];
  return new Promise((resolve, reject) => {
    const shell = process.platform === 'win32';
    const child = spawn('npm', ['install', ...flags, ...names], { stdio: ['ignore', 2, 2], shell });
    const fail = (cause: unknown) =>
      reject(
        new EatDmlError('ERR_DATA', `Expected npm to install ${names.join(', ')} but received ${cause}.`, {
          hint: 'Check that npm runs here and reaches its registry.',
        }),
      );
    child.on('error', fail);
    child.on('close', (code) => (code === 0 ? resolve() : fail(`exit code ${code}`)));
  });
}
