import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { LONG } from '../long.js';
import { findMpis, type Mpi, mpirunArguments, ROOT_MAY } from './launch.js';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-mpi-sanitized-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const mpis = findMpis();
// MPICH's transports do not start under ThreadSanitizer, whoever calls them.
const CASES = mpis.flatMap((mpi) => [
  { name: mpi.name, sanitizer: 'address,undefined', mpi },
  ...(mpi.name === 'openmpi' ? [{ name: mpi.name, sanitizer: 'thread', mpi }] : []),
]);

async function compiled({ name, mpicc }: Mpi, sanitizer: string): Promise<string> {
  const path = join(folder, `${name}-${sanitizer}`);
  const sources = ['communicator', 'collectives', 'engine', 'memory'].map((source) => `native/mpi/${source}.cc`);
  const flags = ['-std=c++17', '-O1', '-g', '-Wall', '-Wextra', '-Werror', `-fsanitize=${sanitizer}`];
  // The wrapper calls C's compiler by these names of a C++ one.
  const env = { ...process.env, OMPI_CC: 'g++', MPICH_CC: 'g++' };
  await run(mpicc, [...flags, ...sources, 'test/distributed/driver.cc', '-o', path, '-ldl', '-lpthread'], { env });
  return path;
}

describe.skipIf(!LONG || mpis.length === 0)('the communication thread under sanitizers', () => {
  const check = async ({ mpi, sanitizer }: (typeof CASES)[number]) => {
    const path = await compiled(mpi, sanitizer);
    // What an MPI leaves behind is its own; and Open MPI's transport by TCP takes two locks in both orders.
    const quiet = mpi.name === 'openmpi' ? ['--mca', 'btl', '^tcp'] : [];
    const env = { ...process.env, ...ROOT_MAY, ASAN_OPTIONS: 'detect_leaks=0' };
    const { stdout, stderr } = await run(mpi.mpirun, [...mpirunArguments(mpi, 2), ...quiet, path, '20'], { env });
    expect(stdout).toBe('0 wrong, over\n'.repeat(2));
    expect(stderr).not.toContain('Sanitizer');
  };
  // Ranks that wait for each other on few processors take their time.
  test.each(CASES)('$name: $sanitizer', check, 400_000);
});
