import { z } from 'zod';
import { variable } from '../environment.js';
import { mpiAddon } from '../kernels/load-addon.js';
import { parseOptions } from '../options.js';
import { distributedError, type SyncGroup } from './group.js';
import { type Launch, launchOf } from './launcher.js';
import { beginMpi } from './mpi.js';
import { single } from './single.js';

const initOptions = z.strictObject({
  strict: z.boolean().default(false).describe('an error, not a group of one, where no launcher started this process'),
});

/** Options of {@link initDistributed}. */
export type InitDistributedOptions = z.input<typeof initOptions>;

let world: Promise<SyncGroup> | undefined;

/**
 * The group of all processes that one launcher (mpirun of Open MPI or MPICH, srun of Slurm) started, by MPI; alone, the group of one. In
 * one process it is the same group each time. It takes the MPI addon (`eat-dml build --mpi`) where there are several ranks.
 *
 * @throws EatDmlError ERR_DISTRIBUTED where there are several ranks and no addon, where the launcher is not of the addon's MPI, and
 * with `strict` where there is no launcher.
 *
 * @example
 * ```ts
 * import { initDistributed } from 'eat-dml';
 *
 * const group = await initDistributed(); // of mpirun or srun; alone a group of one
 * const [sum] = await group.allReduce(Float32Array.of(group.rank + 1));
 * console.log(`rank ${group.rank} of ${group.size}: ${sum}`);
 * await group.finalize();
 * ```
 */
export async function initDistributed(options?: InitDistributedOptions): Promise<SyncGroup> {
  const { strict } = parseOptions(initOptions, options);
  const launch = launchOf(process.env);
  if (!launch && strict) {
    const hint = 'Start the ranks by mpirun -n 2 node program.mjs, or by srun.';
    throw distributedError('Expected a launcher to have started this process but received none.', hint);
  }
  if (!launch || launch.size === 1) return single();
  world ??= begin(launch);
  return world;
}

async function begin(launch: Launch): Promise<SyncGroup> {
  // UCX, a transport that MPIs may use, would else put itself between malloc and the system: docs/distributed.md. It reads this when it
  // is loaded; a worker thread's environment is a copy that it does not see.
  process.env.UCX_MEM_EVENTS ??= 'n';
  const { addon, attempts } = mpiAddon();
  const { size, launcher } = launch;
  if (addon) return beginMpi(addon, launch, Number(variable('EAT_DML_MPI_STALL_SECONDS') ?? 60));
  const broken = attempts.find(({ found }) => found);
  const why = broken ? `the one at ${broken.path} does not load: ${broken.failure}` : 'none is built';
  const hint = 'npx eat-dml build --mpi builds it (in a checkout: npm run build:mpi); that takes mpicc.';
  throw distributedError(`Expected the MPI addon for the ${size} ranks of ${launcher}, but ${why}.`, hint);
}
