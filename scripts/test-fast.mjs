/** `npm run test:fast`: the inner loop, all tests but those that test/groups.ts leaves out, by reason. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { resolved, root } from './native-addon.mjs';

const vitest = join(resolved('vitest/package.json'), '../vitest.mjs');
const env = { ...process.env, EAT_DML_TEST_FAST: '1' };
const args = [vitest, 'run', ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env });
process.exit(status ?? 1);
