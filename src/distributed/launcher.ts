import { describe } from '../errors.js';
import { distributedError } from './group.js';

/** What a launcher says of the job that this process belongs to. */
export interface Launch {
  size: number;
  /** Who started it, and the variable that says so. */
  launcher: string;
  variable: string;
}

/**
 * In this order: mpirun in a Slurm job starts its daemons by srun, whose variables ranks then inherit. Not SLURM_NTASKS, which a batch
 * script has too: only a step's own variable says that Slurm started this process.
 */
const LAUNCHERS: readonly (readonly [variable: string, launcher: string])[] = [
  ['OMPI_COMM_WORLD_SIZE', 'mpirun of Open MPI'],
  ['PMI_SIZE', 'mpirun of MPICH'],
  ['SLURM_STEP_NUM_TASKS', 'srun of Slurm'],
];

/** Undefined where no launcher started this process. */
export function launchOf(environment: NodeJS.ProcessEnv): Launch | undefined {
  const found = LAUNCHERS.find(([name]) => environment[name]);
  if (!found) return undefined;
  const [variable, launcher] = found;
  const text = environment[variable]!;
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    const message = `Expected a number of ranks in ${variable} but received ${describe(text)}.`;
    throw distributedError(message, `${launcher} sets it: start the ranks by it, or unset ${variable}.`);
  }
  return { size: Number(text), launcher, variable };
}
