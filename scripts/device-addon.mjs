/**
 * Builds the addons beside the CPU's. Of the device kernels, from one list of sources (native/cuda/sources.txt): `cuda` with nvcc, and
 * `simt`, the same kernels under the emulator, for tests. `mpi`, which talks to other processes, against the MPI of one mpicc. Each has
 * a build folder of its own. For `npm run build:cuda`, `build:mpi`, `test:simt` and `eat-dml build --cuda` or `--mpi`.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildTools, onPath, probe, resolved, root, run } from './native-addon.mjs';

/** What EAT_DML_CUDA_ARCHITECTURES may be: as CMAKE_CUDA_ARCHITECTURES. */
const ARCHITECTURES = /^(\d+[a-z]?(-real|-virtual)?|native|all|all-major)(;\d+[a-z]?(-real|-virtual)?)*$/;

/** What a device's build leaves in its folder. */
export function deviceOutput(device, folder = join(root, `native/build-${device}`)) {
  return join(folder, `Release/eat_dml_${device}.node`);
}

/** The CUDA compiler: CUDACXX, on PATH, else where NVIDIA's packages put it. */
export function findNvcc() {
  const { CUDACXX, CUDA_PATH, CUDA_HOME } = process.env;
  const folders = [CUDA_PATH, CUDA_HOME, '/usr/local/cuda'].filter(Boolean).map((folder) => join(folder, 'bin/nvcc'));
  return CUDACXX || onPath('nvcc') || folders.find((path) => existsSync(path));
}

/** The compiler of the MPI to build against: EAT_DML_MPICC, a path or a name on PATH, else mpicc. */
export function findMpicc() {
  const { EAT_DML_MPICC: named } = process.env;
  if (!named?.includes('/')) return onPath(named || 'mpicc');
  return existsSync(named) ? named : undefined;
}

/** What is missing to build `device`, in words; empty where nothing is. */
export function missingTools(device, { tools = buildTools(), nvcc = findNvcc(), mpicc = findMpicc() } = {}) {
  return [
    tools.compiler ? undefined : 'a C++ compiler (g++ or clang++)',
    tools.cmake ? undefined : 'cmake',
    tools.make ? undefined : 'ninja or make',
    resolved('cmake-js/bin/cmake-js') ? undefined : 'the npm package cmake-js',
    device !== 'cuda' || nvcc ? undefined : 'nvcc (the CUDA toolkit, 12.8 or newer)',
    device !== 'mpi' || mpicc ? undefined : wantedMpicc(),
  ].filter(Boolean);
}

function wantedMpicc() {
  const { EAT_DML_MPICC: named } = process.env;
  return named ? `${named} (as EAT_DML_MPICC names it)` : 'mpicc (Open MPI or MPICH, with its headers)';
}

/**
 * Builds `device`'s addon. {ok, path, missing, output, info?, failure?}: `ok` where it was built; `info` where it also loads here,
 * else `failure`, which says why not: a machine without a GPU can build for one that has it.
 * EAT_DML_CUDA_ARCHITECTURES ("80;90a") builds for those alone, which is much quicker than for all. `folder` and `mpicc` are for tests.
 */
export async function buildDevice(device, { write = () => {}, folder, mpicc = findMpicc() } = {}) {
  const missing = missingTools(device, { mpicc });
  if (missing.length > 0) return { ok: false, missing, output: '' };
  const out = folder ?? join(root, `native/build-${device}`);
  const { EAT_DML_CUDA_ARCHITECTURES: chosen } = process.env;
  if (device === 'cuda' && chosen && !ARCHITECTURES.test(chosen)) {
    const output = `Expected architectures such as 80;90a in EAT_DML_CUDA_ARCHITECTURES but received "${chosen}".\n`;
    write(output);
    return { ok: false, missing, output };
  }
  const args = [resolved('cmake-js/bin/cmake-js'), 'compile', '--directory', join(root, 'native'), '--out', out];
  const unlock = await lock(out);
  // The usual folder would remember what it found of the last MPI.
  if (device === 'mpi' && !folder) rmSync(join(out, 'CMakeCache.txt'), { force: true });
  const { code, output } = await run(process.execPath, [...args, ...optionsOf(device, mpicc)], write).finally(unlock);
  const path = deviceOutput(device, out);
  if (code !== 0) return { ok: false, missing, output };
  return { ok: true, path, missing, output, ...(await probe(path)) };
}

function optionsOf(device, mpicc) {
  const options = [`--CDEAT_DML_DEVICE=${device}`];
  if (device === 'mpi') options.push(`--CDEAT_DML_MPICC=${mpicc}`);
  if (device !== 'cuda') return options;
  // The architectures always, or the folder would remember the last choice.
  const chosen = process.env.EAT_DML_CUDA_ARCHITECTURES ?? '';
  return [...options, `--CDCMAKE_CUDA_COMPILER=${findNvcc()}`, `--CDEAT_DML_CUDA_ARCHITECTURES=${chosen}`];
}

/** One build in a folder at a time: test files run side by side. Waits for the other; one whose process is gone does not count. */
async function lock(folder) {
  const path = `${folder}.lock`;
  mkdirSync(dirname(path), { recursive: true });
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!isAlive(path)) rmSync(path, { force: true });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function isAlive(path) {
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
