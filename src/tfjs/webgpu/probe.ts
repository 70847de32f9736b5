import { existsSync, readdirSync } from 'node:fs';
import { probeWebgpu } from '../../kernels/webgpu/probe.js';
import { registerWebgpuBackend } from './backend.js';

export interface WebgpuBackendProbe {
  available: boolean;
  /** A real graphics card: `auto` takes no other. */
  gpu: boolean;
  detail: string;
  remedy?: string;
}

const INSTALL = 'npm install webgpu @tensorflow/tfjs-backend-webgpu@4.22.0';

/** False where certainly no graphics card is that Vulkan could use: told by files of drivers, without starting anything. */
export function cardMayExist(): boolean {
  if (process.platform !== 'linux') return true;
  if (['/dev/nvidiactl', '/dev/dxg'].some(existsSync)) return true;
  return existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('render'));
}

/** Whether networks can run on WebGPU: the adapter, looked for in a child process, and tfjs's backend for it. */
export async function probeWebgpuBackend(): Promise<WebgpuBackendProbe> {
  const { found, adapter, software = false, failure, remedy } = probeWebgpu();
  if (!adapter) return { available: false, gpu: false, detail: failure!, remedy: found ? remedy : INSTALL };
  try {
    await registerWebgpuBackend();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ERR_MODULE_NOT_FOUND' ? 'is not installed' : `does not load: ${message.split('\n')[0]}`;
    return { available: false, gpu: false, detail: `@tensorflow/tfjs-backend-webgpu ${why}`, remedy: INSTALL };
  }
  const { vendor, architecture, description } = adapter;
  const name = [...new Set([vendor, architecture, description].filter(Boolean))].join(', ');
  const kind = software ? 'in software: for tests, auto does not take it' : 'a graphics card';
  return { available: true, gpu: !software, detail: `${name} (${kind}), by Dawn` };
}
