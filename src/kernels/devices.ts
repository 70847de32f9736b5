import { EatDmlError, invalid } from '../errors.js';
import { belongsOnGpu, type GpuName, workOf } from './device-choice.js';
import { type Addon, cudaAttempts, loadAddon, loadAttempts, loadCudaAddon } from './load-addon.js';
import type { DeviceName } from './matrix.js';
import { hasWebgpuKernel } from './webgpu/kernels.js';
import { probeWebgpu } from './webgpu/probe.js';

/** A place where kernels can run, and whether they can here. */
export interface DeviceInfo {
  name: DeviceName;
  available: boolean;
  /** What it is, or why it is not there and how to get it. */
  detail: string;
  /** Instruction set in use (cpu). */
  isa?: string;
  /** Threads a call may use (cpu). */
  threads?: number;
  /** `auto` does not take it: what stands in for a GPU in tests, the emulator (cuda) or an adapter in software (webgpu). */
  byNameOnly?: boolean;
}

const BUILD_HINT =
  '`npx eat-dml build` builds it (in a checkout: `npm run build:native`); that takes a C++ compiler and cmake.';
const CUDA_HINT =
  '`npx eat-dml build --cuda` builds it (in a checkout: `npm run build:cuda`); that takes nvcc of the CUDA toolkit.';
const NO_DRIVER_HINT = 'Where there is a GPU it takes NVIDIA’s driver (nvidia-smi).';
const DRIVER_HINT = 'It takes an NVIDIA driver (nvidia-smi), and a GPU that CUDA_VISIBLE_DEVICES leaves.';
const KEPT_FROM_WEBGPU = 'calls at once, small ones and those bound by copying run on the CPU';
const KEPT_ON_CPU = 'kernels without a CUDA version, small calls and those bound by copying run on the CPU';

/**
 * The devices, the quickest first for large work. `auto` takes cuda or webgpu for calls that they end sooner, then cpu, then js.
 *
 * @example
 * ```ts
 * import { devices } from 'eat-dml/kernels';
 *
 * for (const { name, available, detail } of devices()) console.log(name, available, detail);
 * ```
 */
export function devices(): DeviceInfo[] {
  return [cudaDevice(), webgpuInfo(), cpuDevice(), jsDevice()];
}

function webgpuInfo(): DeviceInfo {
  const { adapter, software, failure, remedy } = probeWebgpu();
  if (!adapter) return { name: 'webgpu', available: false, detail: `${failure}. Remedy: ${remedy}.` };
  const { vendor, architecture, description } = adapter;
  const what = [vendor, architecture, description].filter((part) => part !== '').join(', ');
  if (!software) return { name: 'webgpu', available: true, detail: `${what}; hardware; ${KEPT_FROM_WEBGPU}` };
  const detail = `${what}; in software, for tests; auto does not take it`;
  return { name: 'webgpu', available: true, detail, byNameOnly: true };
}

function cudaDevice(): DeviceInfo {
  const addon = loadCudaAddon();
  if (addon) {
    const { isa } = addon.info();
    return isEmulator(addon)
      ? { name: 'cuda', available: true, detail: `${isa}, for tests; auto does not take it`, isa, byNameOnly: true }
      : { name: 'cuda', available: true, detail: `${isa}; ${KEPT_ON_CPU}`, isa };
  }
  const broken = cudaAttempts().find((a) => a.found);
  if (!broken) return { name: 'cuda', available: false, detail: `the CUDA addon is not built. ${CUDA_HINT}` };
  const hint = /no NVIDIA driver/.test(broken.failure ?? '') ? NO_DRIVER_HINT : DRIVER_HINT;
  const detail = `the CUDA addon at ${broken.path} does not run: ${broken.failure}. ${hint}`;
  return { name: 'cuda', available: false, detail };
}

function isEmulator(addon: Addon): boolean {
  return addon.info().isa === 'simt emulator';
}

/** The CPU alone: without a look for GPUs, which takes child processes. */
export function cpuDevice(): DeviceInfo {
  const addon = loadAddon();
  if (addon) {
    const { isa, threads } = addon.info();
    return { name: 'cpu', available: true, detail: `native addon, ${isa}, ${threads} threads`, isa, threads };
  }
  const broken = loadAttempts().find((a) => a.found);
  const why = broken ? `the addon at ${broken.path} does not load: ${broken.failure}` : 'the native addon is not built';
  return { name: 'cpu', available: false, detail: `${why}. ${BUILD_HINT}` };
}

function jsDevice(): DeviceInfo {
  return { name: 'js', available: true, detail: 'plain JavaScript in double precision; exact, and slow' };
}

/**
 * Whether webgpu runs this Promise call: asked for by name, or `auto` where it is worth a GPU, no CUDA takes it and the adapter is
 * hardware.
 */
export function takesWebgpu(device: DeviceName | 'auto' = 'auto', kernel: string, args: object): boolean {
  if (device === 'webgpu') return true;
  if (device !== 'auto') return false;
  const cpu = loadAddon();
  if (!hasWebgpuKernel(kernel) || !worthGpu('webgpu', cpu, kernel, args)) return false;
  const addon = resolveDevice(device, kernel, args);
  if (addon !== cpu) return false;
  const { adapter, software } = probeWebgpu();
  return adapter !== undefined && !software;
}

/**
 * The addon to run `kernel` on, or undefined for the js device; throws where `device` names one that is absent or lacks it.
 * `auto` looks at the call's `args`, where there are some, for whether it belongs on a GPU (device-choice.ts), and only then looks
 * for the CUDA addon.
 */
export function resolveDevice(device: DeviceName | 'auto' = 'auto', kernel?: string, args?: object): Addon | undefined {
  if (device === 'js') return undefined;
  if (device === 'webgpu') {
    throw new EatDmlError('ERR_DEVICE', 'Device webgpu has no synchronous calls: use the Promise form.');
  }
  if (device !== 'auto' && device !== 'cpu' && device !== 'cuda') {
    throw invalid('device', 'one of auto, cuda, webgpu, cpu, js', device);
  }
  if (device === 'cuda') return cudaAddonFor(kernel);
  const addon = loadAddon();
  if (device === 'cpu' && !addon)
    throw new EatDmlError('ERR_DEVICE', `Device cpu is not available: ${cpuDevice().detail}`);
  const gpu = device === 'auto' && worthGpu('cuda', addon, kernel, args) ? loadCudaAddon() : undefined;
  return gpu && !isEmulator(gpu) && (kernel === undefined || kernel in gpu) ? gpu : addon;
}

/** Whether a GPU should do it, if there is one. What is uploaded is meant for one. */
function worthGpu(gpu: GpuName, cpu: Addon | undefined, kernel?: string, args?: object): boolean {
  if (kernel === undefined || args === undefined) return true;
  const work = workOf(kernel, args, gpu);
  return work !== undefined && belongsOnGpu(work, cpu?.info().threads ?? 0, gpu);
}

function cudaAddonFor(kernel?: string): Addon {
  const addon = loadCudaAddon();
  if (!addon) throw new EatDmlError('ERR_DEVICE', `Device cuda is not available: ${cudaDevice().detail}`);
  if (kernel !== undefined && !(kernel in addon)) {
    throw new EatDmlError('ERR_DEVICE', `Device cuda has no ${kernel}: use device auto or cpu for it.`);
  }
  return addon;
}
