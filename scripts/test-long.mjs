/**
 * `npm run test:long`: the tests that have a long form (test/long.ts), in it, and those alone. CI runs `npm test` with all long forms.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolved, root } from './native-addon.mjs';

// test/simt has the emulator's own run (test:simt), which is long, too.
const files = readdirSync(join(root, 'test'), { recursive: true })
  .filter((name) => name.endsWith('.test.ts') && !name.startsWith('simt'))
  .filter((name) => readFileSync(join(root, 'test', name), 'utf8').includes("/long.js'"))
  .map((name) => join('test', name));
const vitest = join(resolved('vitest/package.json'), '../vitest.mjs');
const env = { ...process.env, EAT_DML_TEST_LONG: '1' };
const { status } = spawnSync(process.execPath, [vitest, 'run', ...files], { cwd: root, stdio: 'inherit', env });
process.exit(status ?? 1);
