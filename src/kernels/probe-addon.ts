import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { defaultCacheDir } from '../cache-folder.js';
import { variable } from '../environment.js';
import { packageVersion } from '../version.js';

/** One that hangs, as a driver may, is given up after this. */
const TIMEOUT_MS = 60_000;
const require = createRequire(import.meta.url);

/**
 * Loads an addon in a child process and lets it say what it runs on, which may crash or hang. Returns what went wrong; undefined where it
 * runs. Loading it here is safe then: it opens the same things in the same way. `blamed` is what is broken if it crashes.
 */
export function probeInChild(path: string, blamed: string): string | undefined {
  const program = `
    try { process.stdout.write('ok ' + require(process.argv[1]).info().isa); }
    catch (error) { process.stdout.write('failed ' + error.message); }`;
  const timeout = Number(variable('EAT_DML_PROBE_TIMEOUT_MS') ?? TIMEOUT_MS);
  const child = spawnSync(process.execPath, ['-e', program, path], {
    encoding: 'utf8',
    timeout,
    killSignal: 'SIGKILL',
  });
  const code = (child.error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ETIMEDOUT') return `${blamed} did not answer in ${timeout / 1000} s`;
  if (child.error) return `the child process that probes it did not start: ${child.error.message}`;
  if (child.signal) return `it crashes with ${child.signal}; ${blamed} is broken or does not fit`;
  const failed = child.stdout.match(/failed ([\s\S]*)$/)?.[1];
  if (failed !== undefined) return failed;
  return /ok [\s\S]/.test(child.stdout)
    ? undefined
    : `it ended with status ${child.status}; ${child.stderr.slice(-300)}`;
}

/**
 * Throws why the addon of an npm package, which was compiled elsewhere, is not to be loaded: it is of another version than this package,
 * or does not run in a child process. That it runs is remembered in the cache, where that can be written.
 */
export function checkPrebuilt(name: string): void {
  const path = require.resolve(name);
  const version = packageVersion();
  const { version: given } = require(`${name}/package.json`) as { version: string };
  if (given !== version)
    throw new Error(`it is of version ${given}, and eat-dml of ${version}: install ${name}@${version}`);
  const { size, mtimeMs } = statSync(path);
  const state = [path, size, mtimeMs, version, process.version].join('\n');
  const folder = join(defaultCacheDir(), 'prebuilt');
  const mark = join(folder, createHash('sha256').update(state).digest('hex').slice(0, 16));
  if (existsSync(mark)) return;
  const failure = probeInChild(path, 'the prebuilt addon');
  if (failure !== undefined) throw new Error(failure);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(mark, '');
  } catch {
    // The next process probes again.
  }
}
