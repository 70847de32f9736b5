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

/** What `work` gives for each item; as many at a time as there are processors. */
async function each(items, work) {
  const results = [];
  const left = [...items.entries()];
  const worker = async () => {
    for (let next = left.shift(); next; next = left.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return results;
}

const object = (source) => `${objects}/${source.replaceAll('/', '-')}.o`;
// The driver takes longest, then the instruction sets.
const all = ['test/native/driver.cc', ...sources.toReversed()];
await each(all, (source) => execute(compiler, [...flags, '-c', source, '-o', object(source)]));
await execute(compiler, [...flags, ...all.map(object), '-o', output]);

/** How the driver ended on an instruction set, and what it printed. */
async function drive(isa) {
  const [command, ...args] = [...emulator, output];
  const options = { env: { ...process.env, EAT_DML_ISA: isa }, maxBuffer: 2 ** 28 };
  try {
    return { status: 0, ...(await execute(command, args, options)) };
  } catch (ended) {
    return { status: ended.code ?? ended.signal, stdout: ended.stdout ?? '', stderr: ended.stderr ?? String(ended) };
  }
}

const isas = mode === 'neon' || process.arch === 'arm64' ? ['neon', 'scalar'] : ['scalar', 'avx2', 'avx512'];
const runs = await each(isas, drive);
let failed = false;
for (const [i, isa] of isas.entries()) {
  const { status, stdout, stderr } = runs[i];
  const absent = /this processor has/.test(stderr);
  console.log(absent ? `skipped: ${mode} ${isa}: this processor lacks it` : `${mode} ${stdout.trim()}`);
  if (absent) continue;
  if (status !== 0) console.error(stderr || `The driver ended with ${status}.`);
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
