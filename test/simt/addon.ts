import { describe } from 'vitest';

interface Build {
  ok: boolean;
  path?: string;
  missing: string[];
  output?: string;
}

const { buildDevice } = (await import(new URL('../../scripts/device-addon.mjs', import.meta.url).href)) as {
  buildDevice(device: 'simt'): Promise<Build>;
};

/** The device kernels under the emulator, built now where they are not; from here on device 'cuda' of this process. */
const built = await buildDevice('simt');
if (!built.ok && built.missing.length === 0)
  throw new Error(`eat_dml_simt.node does not build:\n${built.output?.slice(-4000)}`);
if (built.ok) process.env.EAT_DML_CUDA_PATH = built.path;
else console.log(`skipped: the SIMT emulator, ${built.missing.join(' and ')} missing`);

export const simtPath = built.path;

/** A block that needs a compiler: skipped, and shown as skipped, where there is none. */
export const describeSimt = built.ok ? describe : describe.skip;
