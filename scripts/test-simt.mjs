/**
 * `npm run test:simt`: builds the device kernels for the emulator, then runs the parity table on it as device 'cuda', every variant
 * forced, and the emulator's own tests. EAT_SIMT_SEED chooses another order of blocks and threads. Without a compiler it says so
 * and passes.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildDevice } from './device-addon.mjs';
import { root } from './native-addon.mjs';

const { ok, missing, output } = await buildDevice('simt');
if (missing.length > 0) {
  console.log(`skipped: the SIMT emulator needs ${missing.join(' and ')}`);
  process.exit(0);
}
if (!ok) {
  console.error(output);
  process.exit(1);
}
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const rooms = ['test/simt', 'test/native'];
// Each run its own report: what was left out is in it, with the reason.
const { status } = spawnSync(process.execPath, [vitest, 'run', ...rooms, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, EAT_DML_TEST_REPORT: '', EAT_DML_TEST_LONG: '1' },
});
console.log('Left out for the emulator’s time, and run by test:gpu: see TOO_LARGE in test/simt/parity.test.ts.');
process.exit(status ?? 1);
