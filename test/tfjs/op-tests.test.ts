import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { chooseBackend } from '../../src/tfjs/index.js';
import { fewOf, LONG } from '../long.js';
import { describeNative } from './backends.js';
import { collect, runSuites, withJasmine } from './op-tests/jasmine.js';
import { onBackend } from './op-tests/jasmine-util.js';

vi.mock('../../node_modules/@tensorflow/tfjs-core/dist/jasmine_util.js', () => import('./op-tests/jasmine-util.js'));

const core = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-core/dist/tests.js'));

/** What is left out of tfjs-core's tests, and why. */
const exclusions: [RegExp, string][] = [
  [/^(io|platforms)\//, 'files, storage and requests of a browser; no kernel runs'],
  [
    /^(engine|kernel_registry|globals|environment|flags|backends\/backend|jasmine_util)_test/,
    'register other backends',
  ],
  [/^(debug_mode|profiler)_test/, 'time a mock'],
  [/^backends\/.*_util_test/, 'helper functions of backends, on plain arrays'],
  [/^(\w+_util|util|version|types|serialization)_test/, 'helper functions and types; no kernel runs'],
];

const reasonOf = (file: string) => exclusions.find(([pattern]) => pattern.test(file))?.[1];
const files = readdirSync(core, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('_test.js'))
  .sort();

/** Each test's outcome by its full name: undefined, or what it threw. */
async function outcomesOn(backend: string): Promise<Map<string, unknown>> {
  onBackend(backend);
  const outcomes = new Map<string, unknown>();
  await withJasmine(async () => {
    for (const file of fewOf(
      files.filter((name) => !reasonOf(name)),
      50,
    )) {
      // Suites are described while a file is loaded, so that each backend needs a copy of its own.
      const suite = await collect(file, () => import(/* @vite-ignore */ `${join(core, file)}?on=${backend}`));
      await runSuites(suite, [], outcomes);
    }
  });
  return outcomes;
}

const failures = (outcomes: Map<string, unknown>) =>
  new Map([...outcomes].filter(([, error]) => error !== undefined).map(([name, error]) => [name, String(error)]));

describeNative("tfjs-core's own tests", () => {
  test('what passes on cpu passes on native', { timeout: 600_000 }, async () => {
    await chooseBackend({ backend: 'native' });
    const onCpu = await outcomesOn('cpu');
    const onNative = await outcomesOn('native');
    const passed = (outcomes: Map<string, unknown>) => outcomes.size - failures(outcomes).size;
    console.log(
      [
        `passed on cpu ${passed(onCpu)} of ${onCpu.size}, on native ${passed(onNative)} of ${onNative.size}`,
        ...exclusions.map(
          ([, reason]) => `left out: ${files.filter((f) => reasonOf(f) === reason).length} files, ${reason}`,
        ),
      ].join('\n'),
    );
    expect(onCpu.size).toBeGreaterThan(LONG ? 3000 : 500);
    expect([...onNative.keys()]).toEqual([...onCpu.keys()]);
    const alsoOnCpu = failures(onCpu);
    expect([...failures(onNative)].filter(([name]) => !alsoOnCpu.has(name))).toEqual([]);
  });
});
