import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkEnvironment, variable } from '../environment.js';
import { EatDmlError } from '../errors.js';
import { checkPrebuilt, probeInChild } from './probe-addon.js';

/** A running asynchronous kernel: settles when done; `cancel` makes it stop before its next tile. */
export interface AddonTask {
  promise: Promise<void>;
  cancel(): void;
}

/** One kernel of the addon: the arguments object is read by native/addon/NAME.cc; `async` returns a task. */
export type AddonKernel = (args: object, async: boolean) => AddonTask | undefined;

/** What an addon says of itself. */
export interface AddonInfo {
  isa: string;
  threads: number;
  /** CUDA: launches of graphs by this process, and bytes that the device reserves for graphs; 0 under the emulator, which has none. */
  graphLaunches?: number;
  graphBytes?: number;
}

export interface Addon {
  info(): AddonInfo;
  [kernel: string]: AddonKernel | (() => AddonInfo);
}

/** What native/mpi exports. Its promises are rejected with errors that have a `kind`. */
export interface MpiAddon {
  info(): { library: string };
  begin(launch: object): Promise<MpiResult>;
  run(operation: object): Promise<MpiResult>;
  /** As `run`, waited for. With `into` the result goes there, and has no buffer. */
  runNow(operation: object): MpiResult;
  /** As `run`; what it gives waits for the result, and is called once, with what is `into` in `runNow`. */
  start(operation: object): (into?: object) => MpiResult;
}

/** What there is depends on the operation: native/mpi/addon.cc. */
export interface MpiResult {
  group: number;
  rank: number;
  size: number;
  buffer: ArrayBuffer;
  counts: number[];
}

/** One place where the addon was looked for, and what came of it. */
export interface LoadAttempt {
  path: string;
  from: 'EAT_DML_NATIVE_PATH' | 'EAT_DML_CUDA_PATH' | 'EAT_DML_MPI_PATH' | 'build' | 'platform package';
  found: boolean;
  /** Why it was not taken; absent when it was. */
  failure?: string;
}

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('../../', import.meta.url));

interface Loaded<T = Addon> {
  addon?: T;
  attempts: LoadAttempt[];
}

type Candidate = Pick<LoadAttempt, 'from' | 'path'>;

let cpu: Loaded | undefined;
let cuda: Loaded | undefined;
let mpi: Loaded<MpiAddon> | undefined;

/** The CPU addon, or undefined where none could be loaded; looked for once per process. */
export function loadAddon(): Addon | undefined {
  return cpuAddon().addon;
}

/** Every place the addon was looked for, in order, for `eat-dml doctor`. */
export function loadAttempts(): readonly LoadAttempt[] {
  return cpuAddon().attempts;
}

/** The CUDA addon, or undefined where none runs here; looked for and probed once per process, when first asked for. */
export function loadCudaAddon(): Addon | undefined {
  return cudaAddon().addon;
}

/** Every place the CUDA addon was looked for, in order. */
export function cudaAttempts(): readonly LoadAttempt[] {
  return cudaAddon().attempts;
}

/** The MPI addon, or why there is none; looked for when first asked for. Loading it begins nothing. */
export function mpiAddon(): Loaded<MpiAddon> {
  mpi ??= load(mpiCandidates(), (path) => require(path) as MpiAddon);
  return mpi;
}

function cpuAddon(): Loaded {
  if (!cpu) checkEnvironment();
  cpu ??= load(candidates(), opened, refuseForcedIsa);
  return cpu;
}

function opened(path: string, from: LoadAttempt['from']): Addon {
  if (from === 'platform package') checkPrebuilt(path);
  return require(path) as Addon;
}

function cudaAddon(): Loaded {
  cuda ??= load(cudaCandidates(), (path) => {
    const failure = probeInChild(path, 'the CUDA driver');
    if (failure !== undefined) throw new Error(failure);
    return require(path) as Addon;
  });
  return cuda;
}

function load<T>(
  candidates: Iterable<Candidate>,
  open: (path: string, from: LoadAttempt['from']) => T,
  onFailure?: (failure: string) => void,
): Loaded<T> {
  const attempts: LoadAttempt[] = [];
  let addon: T | undefined;
  for (const { from, path } of candidates) {
    const found = from === 'platform package' ? resolvable(path) : existsSync(path);
    const attempt: LoadAttempt = { path, from, found };
    attempts.push(attempt);
    if (!found) attempt.failure = 'not there';
    if (!found && from.startsWith('EAT_DML_')) warnOfMissing(from, path);
    if (!found || addon) continue;
    try {
      addon = open(path, from);
    } catch (error) {
      attempt.failure = (error as Error).message;
      onFailure?.(attempt.failure);
    }
  }
  return { addon, attempts };
}

/** An addon that was asked for by its path is never passed over without a word. */
function warnOfMissing(variable: string, path: string): void {
  process.emitWarning(`Expected the path of an addon in ${variable} but received ${path}, where nothing is.`);
}

function* cudaCandidates(): Generator<Candidate> {
  const named = variable('EAT_DML_CUDA_PATH');
  if (named) yield { from: 'EAT_DML_CUDA_PATH', path: resolve(named) };
  yield { from: 'build', path: `${root}native/build-cuda/Release/eat_dml_cuda.node` };
  yield { from: 'platform package', path: `@eat-dml/${process.platform}-${process.arch}-cuda` };
}

/** No platform package: an addon fits the MPI that it was built against. */
function* mpiCandidates(): Generator<Candidate> {
  const named = variable('EAT_DML_MPI_PATH');
  if (named) yield { from: 'EAT_DML_MPI_PATH', path: resolve(named) };
  yield { from: 'build', path: `${root}native/build-mpi/Release/eat_dml_mpi.node` };
}

function* candidates(): Generator<Candidate> {
  const named = variable('EAT_DML_NATIVE_PATH');
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
  if (!process.env.EAT_DML_ISA || !failure.includes('EAT_DML_ISA')) return;
  throw new EatDmlError('ERR_DEVICE', failure, { hint: 'Unset EAT_DML_ISA, or name another.' });
}
