/** `npm run test:fast`: the inner loop. All tests but those that start processes, build, emulate or train for long. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { resolved, root } from './native-addon.mjs';

const SLOW = [
  ...['cli', 'simt', 'gpu', 'native', 'packaging', 'public'].map((room) => `test/${room}/**`),
  ...['tensorflow*', 'op-tests*', 'wasm*', 'training-step*'].map((name) => `test/tfjs/${name}`),
  ...['isa*', 'cuda-probe*', 'worker-threads*', 'lifecycle*'].map((name) => `test/kernels/${name}`),
  ...['lock-folder*', 'changed-files*'].map((name) => `test/checkpoints/${name}`),
  ...['fashion-mnist*'].map((name) => `test/data/${name}`),
  ...['small-sets*'].map((name) => `test/evaluation/${name}`),
  ...['methods*', 'resume*', 'run-folder*', 'defences*'].map((name) => `test/training/${name}`),
];
const vitest = join(resolved('vitest/package.json'), '../vitest.mjs');
const args = [vitest, 'run', ...SLOW.flatMap((pattern) => ['--exclude', pattern]), ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
