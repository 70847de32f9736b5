/** scripts/native-addon.mjs, which ships with the package; it runs before TypeScript is compiled, so it is no part of it. */
interface NativeAddonScript {
  buildPlan(): { missing: string[] };
  buildTools(): Record<'compiler' | 'cmake' | 'make' | 'gnuMake' | 'python', string | undefined>;
  buildNative(options?: { write?: (chunk: Uint8Array) => void }): Promise<BuildResult>;
  whyNotBuilt(result: BuildResult): string;
  howToGetTools(missing: readonly string[]): string;
}

export interface BuildResult {
  ok: boolean;
  way?: 'cmake-js' | 'node-gyp';
  path?: string;
  info?: { isa: string; threads: number };
  missing: string[];
  failures: { way: string; output: string }[];
}

export function nativeAddonScript(): Promise<NativeAddonScript> {
  return import(new URL('../../scripts/native-addon.mjs', import.meta.url).href);
}

export interface DeviceBuildResult<Info = unknown> {
  ok: boolean;
  path?: string;
  missing: string[];
  /** Where the addon also runs here; else `failure` says why it does not. */
  info?: Info;
  failure?: string;
}

/** scripts/device-addon.mjs, likewise. */
interface DeviceAddonScript {
  buildDevice(device: 'cuda', options?: BuildDeviceOptions): Promise<DeviceBuildResult<{ isa: string }>>;
  buildDevice(device: 'mpi', options?: BuildDeviceOptions): Promise<DeviceBuildResult<{ library: string }>>;
  findMpicc(): string | undefined;
  findNvcc(): string | undefined;
  missingTools(device: 'cuda' | 'mpi'): string[];
}

interface BuildDeviceOptions {
  write?: (chunk: Uint8Array) => void;
}

export function deviceAddonScript(): Promise<DeviceAddonScript> {
  return import(new URL('../../scripts/device-addon.mjs', import.meta.url).href);
}
