/**
 * `npm run test:fuzz`: builds the addon with AddressSanitizer and UBSan and makes hostile calls of every kernel through it
 * (test/fuzz/). Fails where a sanitizer reports, the process dies, a rejection is left unhandled, an error is of a kind that nobody is
 * promised, or a result is wrong. Without g++ and its sanitizers it says so and passes.
 *   npm run test:fuzz -- [--calls 50000] [--seed 1] [--from 0]
 */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
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

/** `calls` of the fuzz in a process of its own: how it ended, what it found, what the sanitizers wrote. */
async function fuzz(asan, from, calls) {
  const work = mkdtempSync(join(tmpdir(), 'eat-dml-fuzz-'));
  const progress = join(work, 'progress');
  const program = ['--expose-gc', '--import', 'tsx', 'test/fuzz/main.ts', '--progress', progress];
  const range = ['--seed', values.seed, '--from', `${from}`, '--calls', `${calls}`, '--measure'];
  const options = {
    cwd: root,
    maxBuffer: 2 ** 28,
    // A call that does not end is a fault as well: this is ten times what the calls take.
    timeout: 120_000 + 100 * calls,
    killSignal: 'SIGKILL',
    env: {
      ...process.env,
      LD_PRELOAD: asan,
      EAT_DML_NATIVE_PATH: addon,
      // Node keeps what it has until it ends; a call that asks for too much is told so, as without sanitizers.
      ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1:malloc_context_size=12',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
  };
  const ended = await new Promise((resolve) => {
    execFile(process.execPath, [...program, ...range], options, (error, stdout, stderr) =>
      resolve({ status: error?.code ?? 0, signal: error?.signal, stdout, stderr }),
    );
  });
  const last = existsSync(progress) ? readFileSync(progress, 'utf8').trim() : 'not made';
  rmSync(work, { recursive: true });
  const report = ended.stdout.startsWith('{') ? JSON.parse(ended.stdout) : undefined;
  return { ...ended, last, report };
}

/** All calls, by as many processes as there are processors. */
function fuzzAll(asan) {
  const [first, calls] = [Number(values.from), Number(values.calls)];
  const share = Math.ceil(calls / availableParallelism());
  const starts = Array.from({ length: Math.ceil(calls / share) }, (_, i) => i * share);
  return Promise.all(starts.map((start) => fuzz(asan, first + start, Math.min(share, calls - start))));
}

const asan = await build();
if (!asan) {
  console.log('skipped: the fuzz under sanitizers needs g++ with libasan and libubsan, and cmake');
  process.exit(0);
}
const runs = await fuzzAll(asan);
const sumOf = (count) => runs.reduce((sum, run) => sum + count(run), 0);
const reportsOf = ({ stderr }) => stderr.match(/ERROR: \w+Sanitizer|runtime error:/g)?.length ?? 0;
const foreign = ({ what }) => what.startsWith('foreign');
const kinds = {
  reports: sumOf(reportsOf),
  signals: sumOf(({ signal }) => (signal ? 1 : 0)),
  'unhandled rejections': sumOf(({ report }) => report?.rejections.length ?? 0),
  'foreign errors': sumOf(({ report }) => report?.failures.filter(foreign).length ?? 0),
  'wrong results': sumOf(({ report }) => report?.failures.filter((one) => !foreign(one)).length ?? 0),
};
const broken = sumOf(({ report, signal }) => (report || signal ? 0 : 1));
const failed = broken + Object.values(kinds).reduce((a, b) => a + b);

for (const run of runs) {
  const { status, signal, stderr, last, report } = run;
  for (const { call, what } of [...(report?.failures ?? []), ...(report?.rejections ?? [])].slice(0, 20)) {
    console.error(`${call}\n  ${what}\n`);
  }
  if (!report || reportsOf(run) > 0) console.error(stderr.slice(0, 20_000));
  if (!report) console.error(`The process ended with ${signal ?? `status ${status}`}; its last call was ${last}`);
  if (report && !(report.sanitized && report.addon === addon)) {
    console.error(`Expected the sanitized addon at ${addon} but it was not what ran.`);
    process.exit(1);
  }
}
const made = sumOf(({ report }) => report?.calls ?? 0);
const found = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
console.log(`fuzz under sanitizers, seed ${values.seed}: ${made} calls, ${failed} failed (${found.join(', ')})`);
process.exit(failed > 0 ? 1 : 0);
