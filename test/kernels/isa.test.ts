import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { LONG } from '../long.js';
import { program } from '../program.js';
import { describeNative } from './support.js';

interface Outcome {
  isa: string;
  threads: number;
  failures: string[];
  bits: Record<string, string>;
}

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-isa-'));
afterAll(() => rmSync(folder, { recursive: true }));

const script = await program('test/kernels/run-cases.ts');

/** The set that this processor takes by itself: it runs every case in parity.test.ts. */
const CASES = LONG ? 'every case' : 'edges and some shapes';

/** The case table in a process of its own; undefined where this processor lacks the instruction set. */
function runCases(isa: string, threads: number, cases = 'some'): Outcome | undefined {
  const env = { ...process.env, EAT_DML_ISA: isa, EAT_DML_THREADS: String(threads) };
  const child = spawnSync(process.execPath, [script, join(folder, 'references'), cases], {
    ...{ env, encoding: 'utf8' },
    maxBuffer: 1 << 26,
  });
  if (child.status !== 0 && child.stderr.includes('this processor has')) return undefined;
  expect(child.status, child.stderr).toBe(0);
  return JSON.parse(child.stdout);
}

describeNative(`instruction sets, ${CASES}`, () => {
  for (const isa of ['scalar', 'avx2', 'avx512']) {
    // Threads share work in one way on all instruction sets.
    const threads = LONG || isa === 'avx2' ? [2, 1] : [2];
    test(`${isa} ran when forced, agrees with the reference, same bits on any number of threads`, (context) => {
      const cases = LONG || isa === 'scalar' ? 'some' : 'few';
      const first = runCases(isa, threads[0], cases);
      if (!first) {
        context.skip(`this processor has no ${isa}`);
        return;
      }
      const outcomes = [first, ...threads.slice(1).map((count) => runCases(isa, count, cases) as Outcome)];
      expect(outcomes.map((outcome) => [outcome.isa, outcome.threads])).toEqual(threads.map((count) => [isa, count]));
      for (const { failures, bits } of outcomes) {
        expect(failures).toEqual([]);
        expect(bits).toEqual(first.bits);
      }
    });
  }

  test('an unknown name is refused', () => {
    const env = { ...process.env, EAT_DML_ISA: 'sse9' };
    const child = spawnSync(process.execPath, [script], { env, encoding: 'utf8' });
    expect(child.status).not.toBe(0);
    expect(child.stderr).toContain('Expected one of avx512, avx2, scalar in EAT_DML_ISA but received sse9.');
  });
});
