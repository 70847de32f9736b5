import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import util from 'node:util';
import * as tf from '#tf';
import { variable } from '../environment.js';
import { withoutSwitchTo } from './backend-jobs.js';
import { registerCustomOps, registerDeviceOps, type TensorflowBackend, tensorflowDevices } from './custom-ops.js';

/** What is known of tfjs-node-gpu or tfjs-node on this machine. */
export interface TensorflowProbe {
  available: boolean;
  gpu: boolean;
  detail: string;
}

const packages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/** What NVIDIA's driver, and the one of Windows' Linux subsystem, put into the file system. */
const gpuFiles = ['/proc/driver/nvidia/version', '/dev/nvidiactl', '/dev/dxg'];

/** False where certainly no GPU is that TensorFlow could use: told by files of the driver, without loading anything. */
export function gpuMayExist(): boolean {
  if (process.platform === 'darwin') return false;
  if (['', '-1'].includes(process.env.CUDA_VISIBLE_DEVICES ?? 'unset')) return false;
  return process.platform !== 'linux' || gpuFiles.some(existsSync);
}

/**
 * Imports the first of tfjs-node-gpu and tfjs-node that loads; both register the tfjs backend 'tensorflow'. They are looked for
 * in the project that EAT_DML_TENSORFLOW_DIR names, else beside this package. Then registers the custom ops.
 */
export async function probeTensorflow(): Promise<TensorflowProbe> {
  restoreRemovedUtil();
  // Else every start prints which instructions the library was compiled for.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '1';
  // On some processors oneDNN (libtensorflow 2.21) divides by zero in 1 x 1 convolutions of 256 to 1,024 channels, as ResNet-50 has
  // them, and ends the process.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '0';
  const project = variable('EAT_DML_TENSORFLOW_DIR');
  const failures: string[] = [];
  for (const name of packages) {
    try {
      await withoutSwitchTo('tensorflow', () => import(project ? entryIn(project, name) : name));
      const backend = tf.findBackend('tensorflow') as TensorflowBackend | null;
      if (!backend) throw new Error('it loaded, but registered no backend with this copy of @tensorflow/tfjs-core');
      return { available: true, gpu: backend.isUsingGpuDevice === true, detail: describeBackend(name, backend) };
    } catch (error) {
      failures.push(whyNot(name, error as NodeJS.ErrnoException, project));
    }
  }
  return { available: false, gpu: false, detail: failures.join('; ') };
}

/** The package's file as the project's own code would import it. */
function entryIn(project: string, name: string): string {
  return pathToFileURL(createRequire(join(project, 'package.json')).resolve(name)).href;
}

function describeBackend(name: string, backend: TensorflowBackend): string {
  const version = (backend as unknown as { binding?: { TF_Version: string } }).binding?.TF_Version;
  const gpu = backend.isUsingGpuDevice;
  const kernels = whereKernelsRun(gpu);
  const devices = tensorflowDevices();
  return [
    `${name} on ${gpu ? 'a GPU' : 'the CPU'}`,
    ...(version ? [`libtensorflow ${version}`] : []),
    ...(devices.length > 0 ? [`devices ${devices.join(' ')}`] : []),
    kernels,
  ].join(', ');
}

function whereKernelsRun(gpu: boolean): string {
  const failure = registerCustomOps();
  if (failure) return `kernels over copies (${failure})`;
  if (!gpu) return 'kernels as custom ops';
  const onCpu = registerDeviceOps();
  return onCpu ? `kernels as custom ops on the CPU (${onCpu})` : 'kernels as custom ops on the GPU';
}

function whyNot(name: string, { code, message }: NodeJS.ErrnoException, project?: string): string {
  const absent = /^(ERR_)?MODULE_NOT_FOUND$/.test(code ?? '') && message.includes(`'${name}'`);
  if (!absent) return `${name} does not load: ${message.split('\n')[0]}`;
  const where = project
    ? ` in ${project}${existsSync(project) ? '' : ' (no such folder)'}, which EAT_DML_TENSORFLOW_DIR names`
    : '';
  return `${name} is not installed${where}`;
}

/** tfjs-node 4.22 calls two functions that Node 23 removed from `util`. */
function restoreRemovedUtil(): void {
  const legacy = util as unknown as Record<string, (value: unknown) => boolean>;
  legacy.isNullOrUndefined ??= (value) => value === null || value === undefined;
  legacy.isArray ??= Array.isArray;
}
