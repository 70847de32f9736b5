import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { LONG } from '../long.js';
import { program } from '../program.js';

interface Built {
  ok: boolean;
  path: string;
  output: string;
}

const scripts = (name: string) => import(new URL(`../../scripts/${name}.mjs`, import.meta.url).href);
const { onPath, root } = (await scripts('native-addon')) as {
  onPath(...names: string[]): string | undefined;
  root: string;
};
const { buildDevice } = (await scripts('device-addon')) as {
  buildDevice(device: 'mpi', options: { folder: string; mpicc: string }): Promise<Built>;
};

/** An MPI that is here: its compiler and its launcher, which belong together. */
export interface Mpi {
  name: string;
  mpicc: string;
  mpirun: string;
}

/** Debian has several side by side by these names; else the one on PATH. */
export function findMpis(): Mpi[] {
  const pair = (name: string, end: string) => {
    const [mpicc, mpirun] = [onPath(`mpicc${end}`), onPath(`mpirun${end}`)];
    return mpicc && mpirun ? [{ name, mpicc, mpirun }] : [];
  };
  const named = [...pair('openmpi', '.openmpi'), ...pair('mpich', '.mpich')];
  return named.length > 0 ? named : pair('mpi', '');
}

/** The addon against that MPI, in a folder of its own. */
export async function builtFor({ name, mpicc }: Mpi): Promise<string> {
  const { ok, path, output } = await buildDevice('mpi', { folder: join(root, `native/build-mpi-${name}`), mpicc });
  if (!ok) throw new Error(output);
  return path;
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
  /** What ranks told, by rank. */
  told: unknown[][];
  /** When it ended, as Date.now() has it. */
  at: number;
}

export interface Job {
  mpi: Mpi;
  addon: string;
  ranks: number;
  /** Default test/distributed/ranks.ts. */
  entry?: string;
  /** Its first argument; a function of ranks.ts. */
  run: string;
  args?: string[];
  env?: Record<string, string>;
  /** Begins the command in place of mpirun and its arguments. */
  by?: string[];
}

/** Open MPI refuses root without. */
export const ROOT_MAY = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };

export function mpirunArguments({ name }: Mpi, ranks: number): string[] {
  return [...(name === 'openmpi' ? ['--oversubscribe'] : []), '-n', String(ranks)];
}

/** Runs ranks under their launcher. One that hangs is killed, which is a test's failure. */
export async function launch({
  mpi,
  addon,
  ranks,
  entry = 'test/distributed/ranks.ts',
  run,
  args = [],
  env,
  by = [mpi.mpirun, ...mpirunArguments(mpi, ranks)],
}: Job): Promise<Ended> {
  const path = await program(entry);
  const [command, ...launching] = by;
  const child = spawn(command, [...launching, process.execPath, path, run, ...args], {
    env: { ...process.env, ...ROOT_MAY, EAT_DML_MPI_PATH: addon, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LONG ? 600_000 : 60_000,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const told: unknown[][] = Array.from({ length: ranks }, () => []);
  for (const [, line] of stdout.matchAll(/^told (.*)$/gm)) {
    const { rank, what } = JSON.parse(line);
    told[rank].push(what);
  }
  return { code, stdout, stderr, told, at: Date.now() };
}
