import { readFile } from 'node:fs/promises';
import { cudaAttempts, type LoadAttempt } from '../../kernels/load-addon.js';
import { deviceAddonScript } from '../native-addon.js';

/** What stands between a kernel and a GPU, in the order in which it is needed. */
export interface CudaDiagnosis {
  /** The kernel driver's version line; undefined where none is loaded. */
  driver?: string;
  /** CUDA_VISIBLE_DEVICES, where set. */
  visibleDevices?: string;
  /** The compiler, to build the addon from source. */
  nvcc?: string;
  attempts: readonly LoadAttempt[];
  /** What to do next; undefined where a GPU runs. */
  remedy?: string;
}

export async function diagnoseCuda(): Promise<CudaDiagnosis> {
  const { findNvcc, missingTools } = await deviceAddonScript();
  const driver = await readFile('/proc/driver/nvidia/version', 'utf8').then(
    (text) => text.split('\n')[0].trim(),
    () => undefined,
  );
  const found = {
    driver,
    visibleDevices: process.env.CUDA_VISIBLE_DEVICES,
    nvcc: findNvcc(),
    attempts: cudaAttempts(),
  };
  return { ...found, remedy: remedyOf(found, missingTools('cuda')) };
}

function remedyOf({ driver, visibleDevices, attempts }: CudaDiagnosis, missing: string[]): string | undefined {
  if (attempts.some(({ failure }) => failure === undefined)) return undefined;
  if (!attempts.some(({ found }) => found)) {
    const build = 'npx eat-dml build --cuda';
    const first = missing.length > 0 ? `install ${missing.join(' and ')}, then ${build}` : build;
    const named = attempts.some(({ from }) => from === 'EAT_DML_CUDA_PATH');
    return named ? `name a built eat_dml_cuda.node in EAT_DML_CUDA_PATH, or unset it; ${first}` : first;
  }
  if (visibleDevices !== undefined && !/[1-9A-Za-z0]/.test(visibleDevices.replace(/-1/g, ''))) {
    return 'CUDA_VISIBLE_DEVICES hides every GPU: unset it, or name one';
  }
  if (!driver)
    return 'install the NVIDIA driver (nvidia-smi should list the GPU), or run without one: kernels use the CPU';
  return 'compare nvidia-smi with the failure above: the driver may be older than the addon, or the GPU older than sm_80';
}

export function cudaText({ driver, visibleDevices, nvcc, attempts, remedy }: CudaDiagnosis): string[] {
  return [
    `  driver                ${driver ?? 'none is loaded'}`,
    `  CUDA_VISIBLE_DEVICES  ${visibleDevices === undefined ? 'not set' : `"${visibleDevices}"`}`,
    `  nvcc                  ${nvcc ?? 'not found'}`,
    ...attempts.map(({ path, from, failure }) => {
      const where = from === 'EAT_DML_CUDA_PATH' ? `${path} (${from})` : path;
      return `  ${where}: ${failure ?? 'ok'}`;
    }),
    ...(remedy ? [`    -> ${remedy}`] : []),
  ];
}
