/** `npm run build:ts`: src -> dist, from an empty dist, so that nothing deleted is ever packed; then the JSON Schema. */
import { spawnSync } from 'node:child_process';
import { realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root } from './native-addon.mjs';

const require = createRequire(import.meta.url);

/** Runs the compiler and writes dist/config.schema.json; returns tsc's output, empty when all went well. */
export async function buildTypeScript() {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], {
    encoding: 'utf8',
  });
  if (status !== 0) return `${stdout}${stderr}` || `tsc ended with status ${status}`;
  const { configJsonSchema } = await import('../dist/cli/config.js');
  writeFileSync(join(root, 'dist/config.schema.json'), `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return '';
}

if (realpathSync(process.argv[1]) === import.meta.filename) {
  const output = await buildTypeScript();
  if (output) {
    console.error(output);
    process.exitCode = 1;
  }
}
