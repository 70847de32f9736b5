import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { loadAttempts } from '../../src/kernels/load-addon.js';
import { describeNative } from './support.js';

const addon = loadAttempts().find((attempt) => attempt.found && !attempt.failure)?.path ?? '';
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-lifecycle-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a process of its own prints and ends with: an abort must not end the tests. */
function run(args: string[], env: Record<string, string> = {}, command = process.execPath) {
  const { status, signal, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, signal, stdout: stdout.trim(), stderr: stderr.slice(-2000) };
}

describeNative('a process with the addon', () => {
  test('lives on when threads end in every way, and its memory stays flat', { timeout: 120_000 }, () => {
    const script = fileURLToPath(new URL('ending-workers.mjs', import.meta.url));
    const { stdout, ...rest } = run([script, addon, '8', '10']);
    expect(rest).toEqual({ status: 0, signal: null, stderr: '' });
    const { ended, half, end } = JSON.parse(stdout);
    expect(ended).toBe(80);
    expect(end).toBeLessThan(half + 100);
  });

  test.runIf(process.platform === 'linux')('says so where there is no memory for a call', () => {
    const rows = 100_000_000;
    const program = `
      const addon = require(process.argv[2]);
      const matrix = (rows) => ({ data: new Float32Array(rows * 4), rows, cols: 4 });
      const [points, centroids] = [matrix(${rows}), matrix(2)];
      const [labels, distances, secondDistances] = [new Int32Array(${rows}), new Float32Array(${rows}), new Float32Array(${rows})];
      try { addon.nearestCentroid({ points, centroids, labels, distances, secondDistances }, true); }
      catch (error) { console.log(error.kind); }
      try { addon.uploadMatrix({ matrix: points }); }
      catch (error) { console.log(error.kind); }`;
    const script = join(folder, 'memory.cjs');
    writeFileSync(script, program);
    const limited = `ulimit -v 4500000; exec "$0" "$1" "$2"`;
    expect(run(['-c', limited, process.execPath, script, addon], {}, 'bash')).toEqual({
      ...{ status: 0, signal: null, stdout: 'memory\nmemory', stderr: '' },
    });
  });

  const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0);
  test.runIf(process.platform === 'linux' && compiler)('works on fewer threads where the system gives no more', () => {
    const source = join(folder, 'no-threads.c');
    writeFileSync(
      source,
      `#define _GNU_SOURCE
      #include <dlfcn.h>
      #include <errno.h>
      #include <pthread.h>
      #include <stdlib.h>
      int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *x) {
        int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
        return getenv("NO_MORE_THREADS") ? EAGAIN : real(t, a, f, x);
      }`,
    );
    const library = join(folder, 'no-threads.so');
    expect(spawnSync(compiler!, ['-shared', '-fPIC', '-w', source, '-o', library, '-ldl']).status).toBe(0);
    const script = join(folder, 'threads.cjs');
    writeFileSync(
      script,
      `const addon = require(process.argv[2]);
      // Node's own threads are there from here on.
      require('node:fs').stat('/', async () => {
        process.env.NO_MORE_THREADS = '1';
        const [n, d] = [900, 40];
        const a = { data: Float32Array.from({ length: n * d }, (_, i) => Math.sin(i)), rows: n, cols: d };
        const [now, later] = [new Float32Array(n * n), new Float32Array(n * n)];
        addon.pairwiseDistance({ a, b: a, metric: 0, out: now }, false);
        await addon.pairwiseDistance({ a, b: a, metric: 0, out: later }, true).promise;
        console.log(now[1] > 0 && now.every((value, i) => value === later[i]));
      });`,
    );
    expect(run([script, addon], { LD_PRELOAD: library, EAT_DML_THREADS: '4' })).toEqual({
      ...{ status: 0, signal: null, stdout: 'true', stderr: '' },
    });
  });
});
