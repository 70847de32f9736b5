import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LONG } from '../long.js';
import { hasBash, runKit } from './run.js';

/** gpu-run.sh with programs that fail as the kernels' may, in a kit that holds nothing else. */
let folder: string;
const scripts = fileURLToPath(new URL('../../scripts/', import.meta.url));

/** A kit whose gpu_smoke is `body`, in bash: $1 is info or check, $2 the kernel; $V is the variant. */
function makeKit(body: string): void {
  const app = join(folder, 'app');
  mkdirSync(join(app, 'bin'), { recursive: true });
  writeFileSync(join(app, 'device'), 'simt');
  writeFileSync(join(app, 'commit'), 'none\n');
  const smoke = join(app, 'bin/gpu_smoke');
  writeFileSync(smoke, `#!/usr/bin/env bash\nHERE=$(dirname "$0"); V=\${EAT_DML_CUDA_VARIANT:-chosen}\n${body}\n`);
  chmodSync(smoke, 0o755);
  copyFileSync(join(scripts, 'gpu-run.sh'), join(folder, 'run.sh'));
  copyFileSync(join(scripts, 'gpu-plans.sh'), join(folder, 'gpu-plans.sh'));
}

const check = (env: Record<string, string>) => runKit(folder, ['check'], { KIT_ONLY: '^smoke', ...env });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eat-dml-run-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!hasBash)('the run of a kit', () => {
  test('where all is well every step passes', () => {
    makeKit('echo "PASS: $1 $2"');
    const { status, line, summary } = check({ KIT_ONLY: '^smoke-(chosen|v1)' });
    expect(line('smoke-chosen-nearest')).toMatch(/ PASS .* PASS: check nearest$/);
    expect(line('smoke-v1-attack')).toMatch(/ PASS /);
    expect(summary).toMatch(/\n\d+ passed, 0 failed, 0 skipped; /);
    expect(status).toBe(0);
  });

  test('a hang, a crash, a wrong result and a lost device cost their steps only, and the summary says which', () => {
    makeKit(`case $1-$2-$V in
      check-nearest-4) echo "nearest, tiny"; trap '' TERM; while :; do sleep 0.2; done ;;
      check-pairwise-4) kill -SEGV $$ ;;
      check-neighbors-4) echo "FAIL: 3 checks, 1 failed"; exit 1 ;;
      check-kmeans-4) echo "LOST: CUDA: cudaErrorIllegalAddress during upload"; exit 3 ;;
    esac
    echo PASS`);
    const { status, line, summary } = check({ KIT_ONLY: '^smoke-v[43]-', KIT_STEP_SECONDS: '1' });
    expect(line('smoke-v4-nearest')).toMatch(/ TIMEOUT\(1s\) .* nearest, tiny$/);
    expect(line('smoke-v4-pairwise')).toMatch(/ CRASH\(11\) /);
    expect(line('smoke-v4-neighbors')).toMatch(/ FAIL\(1\) .* FAIL: 3 checks, 1 failed$/);
    expect(line('smoke-v4-kmeans')).toMatch(/ LOST .*cudaErrorIllegalAddress/);
    for (const kernel of ['nearest', 'pairwise', 'neighbors', 'kmeans']) {
      expect(line(`smoke-v3-${kernel}`)).toMatch(/ PASS /);
    }
    expect(summary).toMatch(/\n6 passed, 4 failed, 0 skipped; /);
    expect(status).toBe(1);
  });

  test('a device that does not come back is a result of its own, and nothing more is asked of it', () => {
    makeKit(`[ ! -e "$HERE/gone" ] || { echo "LOST after 0 checks, 0 failed: no device"; exit 3; }
    [ "$1-$2-$V" != check-pairwise-chosen ] || { touch "$HERE/gone"; echo "LOST: CUDA: cudaErrorUnknown"; exit 3; }
    echo PASS`);
    const { status, line, summary } = check({});
    expect(summary).toContain(
      'THE DEVICE IS GONE after smoke-chosen-pairwise: LOST after 0 checks, 0 failed: no device',
    );
    expect(line('smoke-chosen-neighbors')).toMatch(/ skipped +the device is gone$/);
    expect(status).toBe(3);
  });

  test.runIf(LONG)('ends in its time, and says what it had none for', () => {
    makeKit('[ "$1" = info ] || sleep 4; echo PASS');
    const { status, seconds, line } = check({ KIT_SECONDS: '12' });
    expect(line('smoke-chosen-nearest')).toMatch(/ PASS /);
    expect(line('smoke-v1-bound')).toMatch(/ skipped +no time is left for it$/);
    expect(status).toBe(1);
    // All steps would take two minutes.
    expect(seconds).toBeLessThan(40);
  });

  test('without a device it ends with one sentence', () => {
    makeKit('echo "LOST after 0 checks, 0 failed: there is no NVIDIA driver"; exit 3');
    const { status, summary } = check({});
    expect(summary.trim().split('\n').slice(1)).toEqual(['FAIL: no usable CUDA device: there is no NVIDIA driver']);
    expect(status).toBe(3);
  });

  test('one step alone', () => {
    makeKit('echo "PASS: $1 $2"');
    const { status, line } = runKit(folder, [
      'step',
      'mine',
      'bash',
      '-c',
      '"$SMOKE" check bound; echo "$EAT_DML_CUDA_PATH"',
    ]);
    expect(line('mine')).toMatch(/ PASS .*app\/addon\/eat_dml_simt\.node$/);
    expect(status).toBe(0);
  });

  test('a wrong plan and a broken kit are told', () => {
    makeKit('echo PASS');
    expect(runKit(folder, ['everything'])).toMatchObject({
      status: 2,
      summary: 'FAIL: expected all, check, bench, sanitize, v5, webgpu or step but received everything\n',
    });
    rmSync(join(folder, 'app/device'));
    expect(runKit(folder, ['check'])).toMatchObject({
      status: 2,
      summary: expect.stringContaining('npm run gpu:pack'),
    });
  });
});
