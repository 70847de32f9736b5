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

/** In the short form the set that this processor takes runs every case in parity.test.ts. */
const CASES = LONG ? 'every case' : 'edges and some shapes';

/** The case table in a process of its own; undefined where this processor lacks the instruction set. */
function runCases(isa: string, threads: number): Outcome | undefined {
  const env = { ...process.env, EAT_DML_ISA: isa, EAT_DML_THREADS: String(threads) };
  const child = spawnSync(process.execPath, [script, join(folder, 'references')], {
    ...{ env, encoding: 'utf8' },
    maxBuffer: 1 << 26,
  });
  if (child.status !== 0 && child.stderr.includes('this processor has')) return undefined;
  expect(child.status, child.stderr).toBe(0);
  return JSON.parse(child.stdout);
}

describeNative(`instruction sets, ${CASES}`, () => {
  for (const isa of ['scalar', 'avx2', 'avx512']) {
    test(`${isa} ran when forced, agrees with the reference, same bits on 1 and 2 threads`, (context) => {
      const one = runCases(isa, 1);
      if (!one) {
        context.skip(`this processor has no ${isa}`);
        return;
      }
      const two = runCases(isa, 2) as Outcome;
      expect([one.isa, one.threads, two.isa, two.threads]).toEqual([isa, 1, isa, 2]);
      expect(one.failures).toEqual([]);
      expect(two.failures).toEqual([]);
      expect(two.bits).toEqual(one.bits);
    });
  }

  test('an unknown name is refused', () => {
    const env = { ...process.env, EAT_DML_ISA: 'sse9' };
    const child = spawnSync(process.execPath, [script], { env, encoding: 'utf8' });
    expect(child.status).not.toBe(0);
    expect(child.stderr).toContain('Expected one of avx512, avx2, scalar in EAT_DML_ISA but received sse9.');
  });
});
