/**
 * `npm run test:gpu`: the kit of scripts/gpu-kit.mjs on the GPU that is here, unpacked: every kernel and variant in a process of its own
 * that is ended from outside, then compute-sanitizer where it is installed. Without a GPU it says so and passes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KitError, stageKit } from './gpu-kit.mjs';
import { root } from './native-addon.mjs';

/** A GPU that is shared or slow may take its time: what hangs is ended by the limits of the steps. */
const SECONDS = 3600;

const program = `import { devices } from './src/kernels/index.js';
const { available, byNameOnly, detail } = devices()[0];
process.stdout.write(JSON.stringify({ gpu: available && !byNameOnly, detail }));`;
const asked = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
  cwd: root,
  encoding: 'utf8',
});
if (asked.status !== 0) {
  console.error(asked.stderr);
  process.exit(1);
}
const { gpu, detail } = JSON.parse(asked.stdout);
if (!gpu) {
  console.log(`skipped: no GPU to test on; ${detail}`);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-gpu-'));
let failed = false;
try {
  await stageKit('cuda', folder, (chunk) => process.stderr.write(chunk));
  for (const plan of ['check', 'v5', 'sanitize']) {
    const env = { KIT_NODE: process.execPath, KIT_SECONDS: String(SECONDS), OUT: join(root, 'gpu-out', plan) };
    const run = spawnSync('bash', [join(folder, 'run.sh'), plan], {
      stdio: 'inherit',
      env: { ...process.env, ...env },
    });
    failed ||= run.status !== 0;
  }
} catch (error) {
  if (!(error instanceof KitError)) throw error;
  console.error(`test:gpu: ${error.message}`);
  failed = true;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
