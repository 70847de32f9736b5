/**
 * The end of .ci/run: which devices, instruction sets and backends the tests had, which were skipped for want of them, what of CUDA
 * ran, the tests that failed, and as the last line the counts of vitest's JSON reports, of the native driver's runs and of the fuzz.
 * Fails where one failed or none ran.
 *   node scripts/ci-summary.mjs NATIVE_LOG CUDA_LOG {COMMAND REPORT STATUS}...   the first report is that of npm test
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './native-addon.mjs';

const ISAS = ['avx512', 'avx2', 'neon', 'scalar'];
const doctor = join(root, 'dist/cli/main.js');

function diagnose(env) {
  const { stdout } = spawnSync(process.execPath, [doctor, 'doctor', '--json'], { env: { ...process.env, ...env } });
  return JSON.parse(stdout.toString());
}

/** "device cpu: tested (native addon, ...)" or "...: skipped (why)". */
function line(kind, { name, available, detail }) {
  return `${kind} ${name}: ${available ? 'tested' : 'skipped'} (${detail})`;
}

function isaLine(name) {
  const cpu = diagnose({ EAT_DML_ISA: name }).devices.find((device) => device.name === 'cpu');
  return line('instruction set', { name, available: cpu?.isa === name, detail: cpu?.detail ?? 'cannot run here' });
}

/** Of a report of vitest whose command ended with `status`: one in an error outside of the tests has a failure that no test has. */
function counts(path, status) {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (text === '') return { passed: 0, failed: 1, skipped: 0 };
  const { testResults, numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(text);
  // A file that does not even load has no tests to count.
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  const failed = numFailedTests + broken.length;
  const outside = failed === 0 && Number(status) > 0 ? 1 : 0;
  return { passed: numPassedTests, failed: failed + outside, skipped: numPendingTests + numTodoTests };
}

/** "FAILED test/x.test.ts: its name: the first line of why", of a report of vitest; or of the command, where no test failed. */
function failureLines([command, path, status]) {
  const text = path && existsSync(path) ? readFileSync(path, 'utf8') : '';
  const files = text === '' ? [] : JSON.parse(text).testResults;
  const lines = files.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    const reasons = failed.map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0] ?? ''}`);
    if (status === 'failed' && reasons.length === 0) reasons.push(message);
    return reasons.map((reason) => `FAILED ${relative(root, name)}: ${reason.split('\n')[0]}`);
  });
  const outside = lines.length === 0 && Number(status) > 0;
  return outside ? [`FAILED ${command}: it ended with ${status}, outside of any test`] : lines;
}

/** One test per run of the native driver (a mode on an instruction set), and one for the fuzz of the addon. */
function nativeCounts(path) {
  const text = path && existsSync(path) ? readFileSync(path, 'utf8') : '';
  const lines = /^(?:\w+ \w+: \d+ checks|fuzz under sanitizers, seed \d+: \d+ calls), (\d+) failed\b/gm;
  const runs = [...text.matchAll(lines)].map(([, failures]) => Number(failures));
  const failed = runs.filter((failures) => failures > 0).length;
  return { passed: runs.length - failed, failed, skipped: [...text.matchAll(/^skipped: /gm)].length };
}

/** What of CUDA ran: the parity table under the emulator, the compiler's report, a GPU, the kit for one elsewhere. */
function cudaLines(reportPath, logPath) {
  const text = existsSync(reportPath) ? readFileSync(reportPath, 'utf8') : '';
  const files = text === '' ? [] : JSON.parse(text).testResults.filter(({ name }) => /test\/simt\/[^/]*$/.test(name));
  const outcomes = files.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
  const passed = outcomes.filter((status) => status === 'passed').length;
  const leftOut = outcomes.filter((status) => status !== 'passed' && status !== 'failed').length;
  const log = logPath && existsSync(logPath) ? readFileSync(logPath, 'utf8') : '';
  return [
    `CUDA kernels under the SIMT emulator: ${passed > 0 ? 'tested' : 'skipped'} (${passed} passed, ${leftOut} left out)`,
    ...[...log.matchAll(/^(?:check-cuda|check:gpu-kit|skipped: (?:.*nvcc|.*GPU)).*$/gm)].map(([line]) => line),
  ];
}

const [nativeLog, cudaLog, ...rest] = process.argv.slice(2);
const commands = Array.from({ length: rest.length / 3 }, (_, i) => rest.slice(3 * i, 3 * i + 3));
const runs = [...commands.map(([, report, status]) => counts(report, status)), nativeCounts(nativeLog)];
const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map((outcome) =>
  runs.reduce((sum, run) => sum + run[outcome], 0),
);
if (existsSync(doctor)) {
  const { devices, backends } = diagnose({});
  const cpu = devices.some(({ name, available }) => name === 'cpu' && available);
  console.log(['', ...devices.map((device) => line('device', device))].join('\n'));
  console.log((cpu ? ISAS.map(isaLine) : ['instruction sets: skipped (no addon)']).join('\n'));
  console.log(backends.map((backend) => line('backend', backend)).join('\n'));
  console.log(cudaLines(commands[0][1], cudaLog).join('\n'));
}
// Near the end of a long log, where they are found.
for (const line of commands.flatMap(failureLines)) console.log(line);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
if (failed > 0 || passed === 0) process.exitCode = 1;
