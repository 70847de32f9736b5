import { EatDmlError } from '../../errors.js';
import { type DeviceBuildResult, deviceAddonScript, nativeAddonScript } from '../native-addon.js';
import { printResult } from '../options.js';

/** `eat-dml build`: the native addon from the sources in the package, into the package, checked by loading it. */
export async function buildCommand(flags: { json?: boolean; cuda?: boolean; mpi?: boolean }): Promise<void> {
  const { json, cuda, mpi } = flags;
  if (cuda && mpi) throw new EatDmlError('ERR_ARGUMENT', 'Expected one of --cuda and --mpi but received both.');
  if (cuda) return buildCuda(json);
  if (mpi) return buildMpi(json);
  const { buildNative, howToGetTools, whyNotBuilt } = await nativeAddonScript();
  const result = await buildNative({ write: (chunk) => process.stderr.write(chunk) });
  if (!result.ok) {
    const hint = result.failures.length > 0 ? 'Its output is above.' : howToGetTools(result.missing);
    throw new EatDmlError('ERR_BUILD', `${whyNotBuilt(result)}; kernels run in JavaScript.`, { hint });
  }
  const { way, path, info } = result;
  const text = `Built by ${way} and loaded: ${path} (${info!.isa}, ${info!.threads} threads)`;
  printResult(json, { command: 'build', way, path, ...info }, text);
}

/** `eat-dml build --cuda`: the CUDA addon, for every architecture; that it does not run here is told, and no failure. */
async function buildCuda(json: boolean | undefined): Promise<void> {
  const { buildDevice } = await deviceAddonScript();
  const result = await buildDevice('cuda', { write: (chunk) => process.stderr.write(chunk) });
  if (!result.ok) throw notBuilt('CUDA', 'kernels run on the CPU', result);
  const { path, info } = result;
  const runs = info ? `it runs on ${info.isa}` : 'it does not run here; npx eat-dml doctor says why';
  printResult(
    json,
    { command: 'build', way: 'cmake-js', path, device: 'cuda', runs: info !== undefined },
    `Built: ${path}; ${runs}`,
  );
}

/** `eat-dml build --mpi`: the addon that joins processes, against the MPI whose mpicc is found. */
async function buildMpi(json: boolean | undefined): Promise<void> {
  const { buildDevice } = await deviceAddonScript();
  const result = await buildDevice('mpi', { write: (chunk) => process.stderr.write(chunk) });
  if (!result.ok) throw notBuilt('MPI', 'a run stays in one process', result);
  const { path, info, failure } = result;
  if (!info) throw new EatDmlError('ERR_BUILD', `the MPI addon is built and does not load: ${failure?.trim()}.`);
  const { library } = info;
  printResult(json, { command: 'build', way: 'cmake-js', path, library }, `Built and loaded: ${path} (${library})`);
}

function notBuilt(name: string, otherwise: string, { missing }: DeviceBuildResult): EatDmlError {
  const why = missing.length > 0 ? `${missing.join(' and ')} missing` : 'its build failed';
  const hint = missing.length > 0 ? `Install ${missing.join(' and ')}, then build again.` : 'Its output is above.';
  return new EatDmlError('ERR_BUILD', `the ${name} addon is not built, ${why}; ${otherwise}.`, { hint });
}
