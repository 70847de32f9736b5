/**
 * `npm run gpu:pack [-- --arch 90a] [--emulator] [--out DIR]`: packs what a machine with a GPU needs to run the kernels' checks and
 * times (scripts/gpu-kit.mjs) into .gpu-kit, which git ignores, and prints what travels. Needs nvcc, a C++ compiler, cmake, tar, xz and
 * strip; no GPU. There: bash .gpu-kit/run.sh all
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { deviceOutput } from './device-addon.mjs';
import { KitError, newestNeeded, packKit, workingTreeBytes } from './gpu-kit.mjs';
import { root } from './native-addon.mjs';

/** What may travel, kit and working tree together. */
export const MOST_BYTES = 40 * 2 ** 20;

const say = (line) => console.error(`gpu:pack: ${line}`);
const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function options() {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', default: '90a' },
      emulator: { type: 'boolean', default: false },
      out: { type: 'string', default: join(root, '.gpu-kit') },
    },
  });
  return { arch: values.arch, device: values.emulator ? 'simt' : 'cuda', out: resolve(values.out) };
}

function tell(device, files) {
  for (const { name, bytes } of files) say(`${name.padEnd(14)} ${mib(bytes)}`);
  const kit = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const tree = workingTreeBytes();
  say(`kit ${mib(kit)}, working tree ${mib(tree)}: ${mib(kit + tree)} travel, of ${mib(MOST_BYTES)}`);
  const needs = [process.execPath, deviceOutput(device), join(deviceOutput(device), '../gpu_smoke')];
  const newest = (library) =>
    needs
      .map((path) => newestNeeded(path, library))
      .filter(Boolean)
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .at(-1);
  say(`needs Linux on ${process.arch}, glibc ${newest('GLIBC')} and libstdc++ with GLIBCXX_${newest('GLIBCXX')}`);
  return kit + tree;
}

const { arch, device, out } = options();
// No PTX: the kit is for these architectures.
process.env.EAT_DML_CUDA_ARCHITECTURES = arch
  .split(/[;,]/)
  .map((a) => (/^\d+[a-z]?$/.test(a) ? `${a}-real` : a))
  .join(';');
say(device === 'cuda' ? `for sm_${arch}` : 'for the emulator');
try {
  const bytes = tell(device, await packKit(device, out, (chunk) => process.stderr.write(chunk)));
  if (bytes > MOST_BYTES) throw new KitError(`more than ${mib(MOST_BYTES)} would travel`);
  say(`packed: ${out}; on the machine: bash ${device === 'cuda' ? '.gpu-kit' : out}/run.sh all`);
} catch (error) {
  if (!(error instanceof KitError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
