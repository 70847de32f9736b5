import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EatDmlError } from '../errors.js';

/** A running asynchronous kernel: settles when done; `cancel` makes it stop before its next tile. */
export interface AddonTask {
  promise: Promise<void>;
  cancel(): void;
}

/** One kernel of the addon: the arguments object is read by native/addon/NAME.cc; `async` returns a task. */
export type AddonKernel = (args: object, async: boolean) => AddonTask | undefined;

export interface Addon {
  info(): { isa: string; threads: number };
  [kernel: string]: AddonKernel | (() => { isa: string; threads: number });
}

/** One place where the addon was looked for, and what came of it. */
export interface LoadAttempt {
  path: string;
  from: 'EAT_DML_NATIVE_PATH' | 'build' | 'platform package';
  found: boolean;
  /** Why it was not taken; absent when it was. */
  failure?: string;
}

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('../../', import.meta.url));

let loaded: { addon?: Addon; attempts: LoadAttempt[] } | undefined;

/** The CPU addon, or undefined where none could be loaded; looked for once per process. */
export function loadAddon(): Addon | undefined {
  return load().addon;
}

/** Every place the addon was looked for, in order, for `eat-dml doctor`. */
export function loadAttempts(): readonly LoadAttempt[] {
  return load().attempts;
}

function load() {
  if (loaded) return loaded;
  const attempts: LoadAttempt[] = [];
  let addon: Addon | undefined;
  for (const { from, path } of candidates()) {
    const found = from === 'platform package' ? resolvable(path) : existsSync(path);
    const attempt: LoadAttempt = { path, from, found };
    attempts.push(attempt);
    if (!found) attempt.failure = 'not there';
    if (!found || addon) continue;
    try {
      addon = require(path) as Addon;
    } catch (error) {
      attempt.failure = (error as Error).message;
      refuseForcedIsa(attempt.failure);
    }
  }
  loaded = { addon, attempts };
  return loaded;
}

function* candidates(): Generator<Pick<LoadAttempt, 'from' | 'path'>> {
  const named = process.env.EAT_DML_NATIVE_PATH;
  if (named) yield { from: 'EAT_DML_NATIVE_PATH', path: resolve(named) };
  yield { from: 'build', path: `${root}native/build/Release/eat_dml.node` };
  yield { from: 'build', path: `${root}build/Release/eat_dml.node` };
  yield { from: 'platform package', path: `@eat-dml/${process.platform}-${process.arch}` };
}

function resolvable(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** An instruction set that was asked for by name and cannot run is an error, never a silent fall-back. */
function refuseForcedIsa(failure: string): void {
  if (process.env.EAT_DML_ISA && failure.includes('EAT_DML_ISA')) throw new EatDmlError('ERR_DEVICE', failure);
}
