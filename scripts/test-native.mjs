// Builds test/native/driver.cc with the kernels, without Node, and runs it on every instruction set:
//   node scripts/test-native.mjs [plain|asan|tsan|neon]
// neon cross-compiles for AArch64 and runs under qemu-user (Debian: g++-aarch64-linux-gnu, qemu-user), unless this is AArch64.
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Throws with what the tool said where it fails. */
const execute = promisify(execFile);

const MODES = {
  plain: ['-O2'],
  asan: ['-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'],
  tsan: ['-O1', '-g', '-fsanitize=thread'],
  neon: ['-O2', '-static'],
};

const mode = process.argv[2] ?? 'plain';
if (!(mode in MODES)) {
  console.error(`Expected one of ${Object.keys(MODES).join(', ')} but received ${mode}.`);
  process.exit(2);
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const cross = mode === 'neon' && process.arch !== 'arm64';
const compiler = cross ? 'aarch64-linux-gnu-g++' : (process.env.CXX ?? 'g++');
const emulator = cross ? ['qemu-aarch64'] : [];
const missing = [compiler, ...emulator].filter((tool) => spawnSync(tool, ['--version']).error);
if (missing.length > 0) {
  console.log(`skipped: ${mode} needs ${missing.join(' and ')}`);
  process.exit(0);
}

const sources = ['native/cpu/engine', 'native/cpu/isa'].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.cc'))
    .map((name) => `${folder}/${name}`),
);
const output = `native/build/driver-${mode}`;
const objects = `${output}.o`;
mkdirSync(objects, { recursive: true });
const flags = ['-std=c++17', '-ffp-contract=off', '-pthread', '-w', ...MODES[mode]];

/** Compiles what is left of `sources`, one after the other; as many of these run as there are processors. */
async function compile(left) {
  for (let source = left.pop(); source; source = left.pop()) {
    await execute(compiler, [...flags, '-c', source, '-o', object(source)]);
  }
}
const object = (source) => `${objects}/${source.replaceAll('/', '-')}.o`;
const all = [...sources, 'test/native/driver.cc'];
const left = [...all];
await Promise.all(Array.from({ length: availableParallelism() }, () => compile(left)));
await execute(compiler, [...flags, ...all.map(object), '-o', output]);

const isas = mode === 'neon' || process.arch === 'arm64' ? ['neon', 'scalar'] : ['scalar', 'avx2', 'avx512'];
let failed = false;
for (const isa of isas) {
  const [command, ...args] = [...emulator, output];
  const run = spawnSync(command, args, { env: { ...process.env, EAT_DML_ISA: isa }, encoding: 'utf8' });
  const absent = /this processor has/.test(run.stderr);
  console.log(absent ? `skipped: ${mode} ${isa}: this processor lacks it` : `${mode} ${run.stdout.trim()}`);
  if (absent) continue;
  if (run.status !== 0) console.error(run.stderr);
  failed ||= run.status !== 0;
}
process.exit(failed ? 1 : 0);
