/**
 * `npm run test:gpu`: the parity table, every variant forced, on the GPU that is here; then the small cases again under
 * compute-sanitizer, where that is installed. Without a GPU it says so and passes.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { findNvcc } from './device-addon.mjs';
import { onPath, root } from './native-addon.mjs';

const node = (args, env = {}) =>
  spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1;

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
console.log(`GPU: ${detail}`);

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
let failed = node([vitest, 'run', 'test/gpu', 'test/kernels/cuda-variants.test.ts'], { EAT_DML_TEST_REPORT: '' }) !== 0;

const besideNvcc = join(dirname(findNvcc() ?? ''), 'compute-sanitizer');
const sanitizer = onPath('compute-sanitizer') ?? (existsSync(besideNvcc) ? besideNvcc : undefined);
if (!sanitizer) console.log('skipped: compute-sanitizer is not installed');
for (const tool of sanitizer ? ['memcheck', 'racecheck', 'synccheck', 'initcheck'] : []) {
  console.log(`compute-sanitizer --tool ${tool}`);
  const args = [
    '--tool',
    tool,
    '--error-exitcode',
    '9',
    process.execPath,
    '--import',
    'tsx',
    'test/gpu/run-small-cases.ts',
  ];
  const { status } = spawnSync(sanitizer, args, { cwd: root, stdio: 'inherit' });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
