/**
 * Builds the addons of the device kernels from one list of sources (native/cuda/sources.txt): `cuda` with nvcc, and `simt`, the same
 * kernels under the emulator, for tests. Each has a build folder of its own. For `npm run build:cuda`, `test:simt` and
 * `eat-dml build --cuda`.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildTools, onPath, probe, resolved, root, run } from './native-addon.mjs';

/** What EAT_DML_CUDA_ARCHITECTURES may be: as CMAKE_CUDA_ARCHITECTURES. */
const ARCHITECTURES = /^(\d+[a-z]?(-real|-virtual)?|native|all|all-major)(;\d+[a-z]?(-real|-virtual)?)*$/;

/** The folder of a device's build, and what it leaves there. */
export function deviceOutput(device) {
  return join(root, `native/build-${device}/Release/eat_dml_${device}.node`);
}

/** The CUDA compiler: CUDACXX, on PATH, else where NVIDIA's packages put it. */
export function findNvcc() {
  const { CUDACXX, CUDA_PATH, CUDA_HOME } = process.env;
  const folders = [CUDA_PATH, CUDA_HOME, '/usr/local/cuda'].filter(Boolean).map((folder) => join(folder, 'bin/nvcc'));
  return CUDACXX || onPath('nvcc') || folders.find((path) => existsSync(path));
}

/** What is missing to build `device`, in words; empty where nothing is. */
export function missingTools(device, { tools = buildTools(), nvcc = findNvcc() } = {}) {
  return [
    tools.compiler ? undefined : 'a C++ compiler (g++ or clang++)',
    tools.cmake ? undefined : 'cmake',
    tools.make ? undefined : 'ninja or make',
    resolved('cmake-js/bin/cmake-js') ? undefined : 'the npm package cmake-js',
    device !== 'cuda' || nvcc ? undefined : 'nvcc (the CUDA toolkit, 12.8 or newer)',
  ].filter(Boolean);
}

/**
 * Builds `device`'s addon. {ok, path, missing, output, info?, failure?}: `ok` where it was built; `info` where it also loads here,
 * else `failure`, which says why not: a machine without a GPU can build for one that has it.
 * EAT_DML_CUDA_ARCHITECTURES ("80;90a") builds for those alone, which is much quicker than for all.
 */
export async function buildDevice(device, { write = () => {} } = {}) {
  const missing = missingTools(device);
  if (missing.length > 0) return { ok: false, missing, output: '' };
  const out = join(root, `native/build-${device}`);
  const options = [`--CDEAT_DML_DEVICE=${device}`];
  if (device === 'cuda') options.push(`--CDCMAKE_CUDA_COMPILER=${findNvcc()}`);
  const { EAT_DML_CUDA_ARCHITECTURES: chosen } = process.env;
  if (device === 'cuda' && chosen && !ARCHITECTURES.test(chosen)) {
    const output = `Expected architectures such as 80;90a in EAT_DML_CUDA_ARCHITECTURES but received "${chosen}".\n`;
    write(output);
    return { ok: false, missing, output };
  }
  // Always, or the folder would remember the last choice.
  if (device === 'cuda') options.push(`--CDEAT_DML_CUDA_ARCHITECTURES=${chosen ?? ''}`);
  const args = [resolved('cmake-js/bin/cmake-js'), 'compile', '--directory', join(root, 'native'), '--out', out];
  const unlock = await lock(out);
  const { code, output } = await run(process.execPath, [...args, ...options], write).finally(unlock);
  const path = deviceOutput(device);
  if (code !== 0) return { ok: false, missing, output };
  return { ok: true, path, missing, output, ...(await probe(path)) };
}

/** One build in a folder at a time: test files run side by side. Waits for the other; one whose process is gone does not count. */
async function lock(folder) {
  const path = `${folder}.lock`;
  mkdirSync(join(root, 'native'), { recursive: true });
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
