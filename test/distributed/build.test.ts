import { expect, test } from 'vitest';
import { run, temporaryFolder } from '../packaging/run.js';

const build = (env: Record<string, string | undefined>) => run(process.execPath, ['scripts/build-mpi.mjs'], { env });

test('without an MPI build:mpi says so in one line, and does not fail', async () => {
  const { code, stderr } = await build({ PATH: temporaryFolder(), EAT_DML_MPICC: undefined });
  expect(stderr).toMatch(/^eat-dml: the MPI addon is not built: .*mpicc \(Open MPI or MPICH, .*\) missing; [^\n]*\n$/);
  expect(code).toBe(0);
});

test.each(['/no/such/mpicc', 'mpicc.of-nobody'])('EAT_DML_MPICC that is not there is named: %s', async (mpicc) => {
  const { code, stderr } = await build({ EAT_DML_MPICC: mpicc });
  expect(stderr).toContain(`${mpicc} (as EAT_DML_MPICC names it) missing`);
  expect(code).toBe(0);
});
