/** A file of tests that hold on every device, on device 'cuda', run by vitest's own runner: suite FILE [PATTERN]. */
import { type File, startTests, type Task, type Test, type VitestRunner } from '@vitest/runner';
import { EXIT, losesDevice } from './exit.js';

// Read when the files are loaded.
process.env.EAT_DML_TEST_DEVICES = 'cuda';
const FILES: Record<string, () => Promise<unknown>> = {
  'bad-input': () => import('../kernels/bad-input.test.js'),
  abort: () => import('../kernels/abort.test.js'),
  goldens: () => import('../kernels/goldens.test.js'),
  'cuda-variants': () => import('../kernels/cuda-variants.test.js'),
  large: () => import('./large.test.js'),
};
const [file, pattern = ''] = process.argv.slice(2);
if (!(file in FILES)) {
  console.log(`FAIL: expected one of ${Object.keys(FILES).join(', ')} but received ${file}`);
  process.exit(EXIT.usage);
}

let lost: string | undefined;

/** What of a test vitest's full name is made of. */
function fullName(task: Task): string {
  return task.suite ? `${fullName(task.suite)} ${task.name}`.trim() : task.name;
}

const runner: VitestRunner = {
  config: {
    root: '/',
    setupFiles: [],
    name: undefined,
    passWithNoTests: false,
    testNamePattern: pattern ? new RegExp(pattern) : undefined,
    allowOnly: false,
    sequence: { seed: 1, hooks: 'stack', setupFiles: 'list' },
    chaiConfig: undefined,
    maxConcurrency: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    retry: 0,
    includeTaskLocation: false,
    tags: [],
    tagsFilter: undefined,
    strictTags: false,
  },
  importFile: () => FILES[file](),
  onBeforeRunTask(test: Test) {
    if (lost !== undefined) test.mode = 'skip';
    if (test.mode === 'run') console.log(`test ${fullName(test)}`);
  },
  onAfterRunTask({ result }: Test) {
    for (const { message } of result?.errors ?? []) {
      console.log(`  FAILED ${message}`);
      if (losesDevice(message)) lost ??= message;
    }
  },
};

function tests(tasks: Task[]): Test[] {
  return tasks.flatMap((task) => (task.type === 'test' ? [task] : tests(task.tasks)));
}

const files: File[] = await startTests([{ filepath: file }], runner);
const states = tests(files).map(({ result }) => result?.state);
const count = (state: string) => states.filter((s) => s === state).length;
const [passed, failed] = [count('pass'), count('fail')];
// A file that does not load has an error of its own, and no tests.
const broken = files.flatMap(({ result }) => (states.length === 0 ? (result?.errors ?? []) : []));
for (const { message } of broken) console.log(`  FAILED to load: ${message}`);
const text = `${file} ${pattern}: ${passed} passed, ${failed} failed, ${states.length - passed - failed} not run`;
if (lost !== undefined) {
  console.log(`LOST ${text}; ${lost}`);
  process.exit(EXIT.device);
}
const fine = passed > 0 && failed === 0;
console.log(`${fine ? 'PASS' : 'FAIL'} ${text}`);
process.exit(fine ? EXIT.fine : EXIT.wrong);
