import { EatDmlError, invalid } from '../errors.js';
import { type Addon, loadAddon, loadAttempts } from './load-addon.js';
import type { DeviceName } from './matrix.js';

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
}

const BUILD_HINT =
  'Install a C++ compiler and cmake, then run `npx eat-dml build` (in a checkout: `npm run build:native`).';
const CUDA_DETAIL = 'this version has no CUDA addon';

/** The devices in the order in which `auto` tries them. */
export function devices(): DeviceInfo[] {
  return [{ name: 'cuda', available: false, detail: CUDA_DETAIL }, cpuDevice(), jsDevice()];
}

function cpuDevice(): DeviceInfo {
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

/** The addon to run on, or undefined for the js device; throws where `device` names one that is absent. */
export function resolveDevice(device: DeviceName | 'auto' = 'auto'): Addon | undefined {
  if (device === 'js') return undefined;
  if (device !== 'auto' && device !== 'cpu' && device !== 'cuda') {
    throw invalid('device', 'one of auto, cuda, cpu, js', device);
  }
  if (device === 'cuda') throw new EatDmlError('ERR_DEVICE', `Device cuda is not available: ${CUDA_DETAIL}.`);
  const addon = loadAddon();
  if (device === 'cpu' && !addon)
    throw new EatDmlError('ERR_DEVICE', `Device cpu is not available: ${cpuDevice().detail}`);
  return addon;
}
