/**
 * `npm run test:fuzz`: builds the addon with AddressSanitizer and UBSan and makes hostile calls of every kernel through it
 * (test/fuzz/). Fails where a sanitizer reports, the process dies, a rejection is left unhandled, an error is of a kind that nobody is
 * promised, or a result is wrong. Without g++ and its sanitizers it says so and passes.
 *   npm run test:fuzz -- [--calls 50000] [--seed 1] [--from 0]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildTools, resolved, root, run } from './native-addon.mjs';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '50000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
  },
});
const folder = join(root, 'native/build-asan');
const addon = join(folder, 'Debug/eat_dml.node');
const FLAGS = '-O1 -fno-omit-frame-pointer -fsanitize=address,undefined,float-cast-overflow';

/** The compiler's own copy of a runtime library; undefined where it has none. */
function libraryOf(compiler, name) {
  const { stdout, error } = spawnSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' });
  const path = error ? '' : stdout.trim();
  return isAbsolute(path) ? path : undefined;
}

async function build() {
  const cmakeJs = resolved('cmake-js/bin/cmake-js');
  const { cmake, make } = buildTools();
  const [asan, ubsan] = ['libasan.so', 'libubsan.so'].map((name) => libraryOf('g++', name));
  if (process.platform !== 'linux' || !asan || !ubsan || !cmakeJs || !cmake || !make) return undefined;
  const options = ['--debug', '--CDCMAKE_CXX_COMPILER=g++', `--CDCMAKE_CXX_FLAGS=${FLAGS}`];
  const args = [cmakeJs, 'compile', '--directory', join(root, 'native'), '--out', folder, ...options];
  const { code, output } = await run(process.execPath, args, () => {});
  if (code === 0) return asan;
  console.error(output.slice(-5000));
  process.exit(1);
}

/** The fuzz in a process of its own: how it ended, what it found, what the sanitizers wrote. */
function fuzz(asan) {
  const work = mkdtempSync(join(tmpdir(), 'eat-dml-fuzz-'));
  const progress = join(work, 'progress');
  const program = ['--expose-gc', '--import', 'tsx', 'test/fuzz/main.ts', '--progress', progress];
  const { seed, calls, from } = values;
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [...program, '--seed', seed, '--calls', calls, '--from', from, '--measure'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      // A call that does not end is a fault as well: this is ten times what the calls take.
      timeout: 120_000 + 100 * Number(calls),
      killSignal: 'SIGKILL',
      env: {
        ...process.env,
        LD_PRELOAD: asan,
        EAT_DML_NATIVE_PATH: addon,
        // Node keeps what it has until it ends; a call that asks for too much is told so, as without sanitizers.
        ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1:malloc_context_size=12',
        UBSAN_OPTIONS: 'print_stacktrace=1',
      },
    },
  );
  const last = existsSync(progress) ? readFileSync(progress, 'utf8').trim() : 'not made';
  rmSync(work, { recursive: true });
  return { status, signal, stdout, stderr, last };
}

const asan = await build();
if (!asan) {
  console.log('skipped: the fuzz under sanitizers needs g++ with libasan and libubsan, and cmake');
  process.exit(0);
}
const { status, signal, stdout, stderr, last } = fuzz(asan);
const reports = stderr.match(/ERROR: \w+Sanitizer|runtime error:/g)?.length ?? 0;
const report = stdout.startsWith('{') ? JSON.parse(stdout) : undefined;
const kinds = { foreign: 0, wrong: 0 };
for (const { what } of report?.failures ?? []) kinds[what.startsWith('foreign') ? 'foreign' : 'wrong']++;
const rejections = report?.rejections.length ?? 0;
const broken = report ? 0 : 1;
const failed = reports + kinds.foreign + kinds.wrong + rejections + broken;

for (const { call, what } of [...(report?.failures ?? []), ...(report?.rejections ?? [])].slice(0, 20)) {
  console.error(`${call}\n  ${what}\n`);
}
if (reports > 0 || broken) console.error(stderr.slice(0, 20_000));
if (broken) console.error(`The process ended with ${signal ?? `status ${status}`}; its last call was ${last}`);
if (report && !(report.sanitized && report.addon === addon)) {
  console.error(`Expected the sanitized addon at ${addon} but it was not what ran.`);
  process.exit(1);
}
const found = [
  `${reports} reports`,
  `${signal ? 1 : 0} signals`,
  `${rejections} unhandled rejections`,
  `${kinds.foreign} foreign errors`,
  `${kinds.wrong} wrong results`,
];
console.log(
  `fuzz under sanitizers, seed ${values.seed}: ${report?.calls ?? 0} calls, ${failed} failed (${found.join(', ')})`,
);
process.exit(failed > 0 ? 1 : 0);
