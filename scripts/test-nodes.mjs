/**
 * `npm run test:nodes`: the tests in which Node's version can matter (the addon, its threads and their end, tfjs, decoding, checkpoints, the
 * command), on Node 22 and 24, which npm's registry has. Where they cannot be had it says so and passes. EAT_DML_NODES_REPORT=PATH has
 * vitest's report of each in PATH-VERSION.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolved, root } from './native-addon.mjs';

const VERSIONS = ['22', '24'];
const TESTS = [
  'test/kernels/{abort,lifecycle,parity,worker-threads}.test.ts',
  'test/{checkpoints/checkpoints,cli/init,data/decode,training/train,tfjs/native-gradients}.test.ts',
  'test/packaging/tarball.test.ts',
].flatMap((pattern) => expanded(pattern));

/** Every path of a pattern with one {a,b}. */
function expanded(pattern) {
  const [, before, names, after] = /^(.*)\{(.*)\}(.*)$/.exec(pattern) ?? [];
  return names ? names.split(',').map((name) => before + name + after) : [pattern];
}

/** The path of that Node, from the registry; undefined where it cannot be had. */
function nodeOf(version) {
  const folder = join(root, 'node_modules/.cache/eat-dml/nodes');
  const path = join(folder, `node_modules/node-${version}/bin/node`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private": true}');
  const name = `node-${process.platform}-${process.arch}`;
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--silent'];
  spawnSync('npm', ['install', ...quiet, `node-${version}@npm:${name}@${version}`], { cwd: folder, stdio: 'ignore' });
  return existsSync(path) ? path : undefined;
}

const vitest = join(resolved('vitest/package.json'), '../vitest.mjs');
for (const version of VERSIONS) {
  const node = nodeOf(version);
  if (!node) {
    console.log(`skipped: Node ${version} (npm's registry has none for this machine, or is not reached)`);
    continue;
  }
  const report = process.env.EAT_DML_NODES_REPORT;
  const env = { ...process.env, EAT_DML_TEST_REPORT: report ? `${report}-${version}` : '' };
  console.log(`Node ${version}: ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`);
  const { status } = spawnSync(node, [vitest, 'run', ...TESTS], { cwd: root, stdio: 'inherit', env });
  if (status !== 0) process.exitCode = 1;
}
