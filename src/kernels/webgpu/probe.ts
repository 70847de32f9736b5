import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { variable } from '../../environment.js';

/** The adapter that WebGPU gives here. */
export interface WebgpuAdapter {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** WebGPU itself calls it a fall-back. */
  isFallback: boolean;
  limits: Record<string, number>;
  features: string[];
}

export interface WebgpuProbe {
  /** Whether the package `webgpu` can be resolved. */
  found: boolean;
  adapter?: WebgpuAdapter;
  /** The adapter computes on the CPU: good for tests, never worth its while. */
  software?: boolean;
  /** Why there is no adapter, as a clause. */
  failure?: string;
  /** What to do about it. */
  remedy?: string;
}

const require = createRequire(import.meta.url);

/** A driver that hangs is given up after this. */
const PROBE_TIMEOUT_MS = 60_000;
const INSTALL_HINT = 'npm install webgpu';
const DRIVER_HINT =
  'install the driver of a GPU, on Linux a Vulkan loader too (libvulkan1); VK_ICD_FILENAMES may name another driver';

let known: WebgpuProbe | undefined;

/** Looks once per process, in a child: what a driver does when it is opened (crash, hang) happens there. */
export function probeWebgpu(): WebgpuProbe {
  known ??= probe();
  return known;
}

function probe(): WebgpuProbe {
  let path: string;
  try {
    path = require.resolve('webgpu');
  } catch {
    return { found: false, failure: 'the package webgpu is not installed', remedy: INSTALL_HINT };
  }
  const answer = askInChild(pathToFileURL(path).href);
  if (typeof answer === 'string') return { found: true, failure: answer, remedy: DRIVER_HINT };
  return { found: true, adapter: answer, software: isSoftware(answer) };
}

/** By its own word, or by the name of one that is known to be. */
function isSoftware({ isFallback, vendor, architecture, description }: WebgpuAdapter): boolean {
  return (
    isFallback ||
    /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b/i.test([vendor, architecture, description].join())
  );
}

const PROGRAM = `
  try {
    const { create } = await import(process.argv[1]);
    const adapter = await create([]).requestAdapter({ powerPreference: 'high-performance' });
    if (adapter === null) throw new Error('WebGPU finds no adapter');
    const device = await adapter.requestDevice();
    const { vendor, architecture, device: name, description, isFallbackAdapter } = adapter.info;
    const limits = {};
    for (const limit in adapter.limits) if (typeof adapter.limits[limit] === 'number') limits[limit] = adapter.limits[limit];
    const isFallback = Boolean(isFallbackAdapter ?? adapter.isFallbackAdapter);
    const found = { vendor, architecture, device: name, description, isFallback, limits, features: [...adapter.features] };
    process.stdout.write('ok ' + JSON.stringify(found));
    device.destroy();
  } catch (error) { process.stdout.write('failed ' + error.message.split('\\n')[0]); }`;

/** The adapter, or what went wrong. */
function askInChild(url: string): WebgpuAdapter | string {
  const timeout = Number(variable('EAT_DML_PROBE_TIMEOUT_MS') ?? PROBE_TIMEOUT_MS);
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM, url], {
    encoding: 'utf8',
    timeout,
    killSignal: 'SIGKILL',
  });
  const code = (child.error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ETIMEDOUT') return `the driver under WebGPU did not answer in ${timeout / 1000} s`;
  if (child.error) return `the child process that probes it did not start: ${child.error.message}`;
  const found = child.stdout.match(/ok (\{.*\})/s)?.[1];
  // One that crashes as it ends would do so here, too.
  if (child.signal) return `it crashes with ${child.signal}; the driver is broken or does not fit`;
  if (found !== undefined) return JSON.parse(found) as WebgpuAdapter;
  const failed = child.stdout.match(/failed ([\s\S]*)$/)?.[1];
  return failed?.replace(/\.$/, '') ?? `it ended with status ${child.status}; ${child.stderr.slice(-300)}`;
}
