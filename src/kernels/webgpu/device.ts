import { EatDmlError } from '../../errors.js';
import { probeWebgpu } from './probe.js';
import { hasSubgroups } from './subgroups.js';
import type { GpuAdapter, GpuDevice, WebgpuGlobals, WebgpuPackage } from './types.js';

export interface WebgpuDevice {
  device: GpuDevice;
  adapter: GpuAdapter;
  globals: WebgpuGlobals;
  /** Whether its kernels take subgroup operations. */
  subgroups: boolean;
}

/** What kernels or tfjs can make use of. */
const WANTED = ['shader-f16', 'subgroups', 'timestamp-query'];

let opened: Promise<WebgpuDevice> | undefined;
/** Dawn lives as long as this is referred to; where the garbage collector took it, the device would go on in freed memory. */
const instances: object[] = [];

/**
 * The one adapter and device of this process, made when first asked for; another after it was lost. It has all of the adapter's limits.
 * @throws EatDmlError ERR_DEVICE where there is none, which a child process has found out.
 */
export function webgpuDevice(): Promise<WebgpuDevice> {
  opened ??= open().catch((error) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

async function open(): Promise<WebgpuDevice> {
  const { failure, remedy } = probeWebgpu();
  if (failure !== undefined) {
    throw new EatDmlError('ERR_DEVICE', `Device webgpu is not available: ${failure}.`, { hint: remedy });
  }
  try {
    // By a name that the compiler does not follow: the package may not be installed where this is compiled.
    const name = 'webgpu';
    const { create, globals } = (await import(name)) as WebgpuPackage;
    const instance = create([]);
    instances.push(instance);
    const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter) throw new Error('WebGPU finds no adapter');
    const requiredFeatures = WANTED.filter((feature) => adapter.features.has(feature));
    const device = await adapter.requestDevice({ requiredFeatures, requiredLimits: limitsOf(adapter) });
    device.lost.then(() => {
      opened = undefined;
    });
    const subgroups = hasSubgroups(device, adapter, instance.wgslLanguageFeatures);
    return { device, adapter, globals, subgroups };
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0];
    throw new EatDmlError('ERR_DEVICE', `Device webgpu does not open: ${why}`, { cause });
  }
}

/** All of them, as numbers of an object of their own. */
function limitsOf({ limits }: GpuAdapter): Record<string, number> {
  const all: Record<string, number> = {};
  for (const name in limits) if (typeof limits[name] === 'number') all[name] = limits[name];
  return all;
}
