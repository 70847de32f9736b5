import { type LoadAttempt, mpiAddon } from '../../kernels/load-addon.js';
import { deviceAddonScript } from '../native-addon.js';

/** Whether a run may have several processes here. */
export interface MpiDiagnosis {
  /** The MPI that the addon was built against and loads. */
  library?: string;
  attempts: readonly LoadAttempt[];
  /** What to do next; undefined where the addon loads. */
  remedy?: string;
}

export async function diagnoseMpi(): Promise<MpiDiagnosis> {
  const { addon, attempts } = mpiAddon();
  if (addon) return { library: addon.info().library, attempts };
  const missing = (await deviceAddonScript()).missingTools('mpi');
  const build = 'npx eat-dml build --mpi (in a checkout: npm run build:mpi)';
  return { attempts, remedy: missing.length > 0 ? `install ${missing.join(' and ')}, then ${build}` : build };
}

/** One line. */
export function mpiText({ library, attempts, remedy }: MpiDiagnosis): string {
  const built = attempts.find(({ found, failure }) => found && (library === undefined || failure === undefined));
  if (library !== undefined) return `  yes  ${library}, ${built?.path}`;
  return built ? `  no   ${built.path} does not load: ${built.failure} -> ${remedy}` : `  no   not built -> ${remedy}`;
}
