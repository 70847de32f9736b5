/**
 * `npm run build:ts`: src -> dist, from an empty dist, so that nothing deleted is ever packed; then what follows from the
 * lists of parts: the JSON Schema, and in a checkout docs/parts.md. With --if-changed nothing is done where neither src nor dist
 * has changed since it was last done.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root } from './native-addon.mjs';
import { makeTfjs, TFJS_FILES } from './tfjs.mjs';

const require = createRequire(import.meta.url);
const ASSETS = 'report/html/assets';
const lastBuilt = join(root, 'node_modules/.cache/eat-dml/built');

/** Runs the compiler and writes dist/config.schema.json; returns tsc's output, empty when all went well. */
export async function buildTypeScript() {
  const dist = join(root, 'dist');
  mkdirSync(dist, { recursive: true });
  // What sources themselves import stays until it is replaced: tests may run meanwhile.
  const old = readdirSync(dist).filter((name) => !TFJS_FILES.includes(name));
  for (const name of old) rmSync(join(dist, name), { recursive: true, force: true });
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], {
    encoding: 'utf8',
  });
  if (status !== 0) return `${stdout}${stderr}` || `tsc ended with status ${status}`;
  requireTfjs(dist);
  await makeTfjs();
  // Styles and scripts of pages, which are read as they are.
  cpSync(join(root, 'src', ASSETS), join(dist, ASSETS), { recursive: true });
  const { configJsonSchema } = await import('../dist/config/schema.js');
  writeFileSync(join(dist, 'config.schema.json'), `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  const { partTables } = await import('../dist/config/tables.js');
  const tables = join(root, 'docs/parts.md');
  if (existsSync(tables) && readFileSync(tables, 'utf8') !== partTables()) writeFileSync(tables, partTables());
  mkdirSync(dirname(lastBuilt), { recursive: true });
  writeFileSync(lastBuilt, stateOfBuild());
  return '';
}

/** Changes whenever a source or what was built of it does. */
function stateOfBuild() {
  const hash = createHash('sha256');
  const files = ['src', 'dist'].flatMap((folder) => {
    const names = existsSync(join(root, folder)) ? readdirSync(join(root, folder), { recursive: true }) : [];
    return names.map((name) => join(folder, name));
  });
  for (const name of [
    ...files,
    'tsconfig.json',
    'tsconfig.build.json',
    'package-lock.json',
    'scripts/build-ts.mjs',
    'scripts/tfjs.mjs',
  ].sort()) {
    const path = join(root, name);
    if (statSync(path).isFile())
      hash.update(`${name}\n`).update(createHash('sha256').update(readFileSync(path)).digest());
  }
  return hash.digest('hex');
}

/** Whether dist/ is what the sources say now. */
export const isBuilt = () => existsSync(lastBuilt) && readFileSync(lastBuilt, 'utf8') === stateOfBuild();

/**
 * tfjs by require in what is built: to import CommonJS, Node first reads all of it for the names of its exports, and tfjs's
 * megabytes take longer to be read so than to be run.
 */
function requireTfjs(folder) {
  const imported = "import * as tf from '#tf';";
  const required = "import { createRequire as from } from 'node:module'; const tf = from(import.meta.url)('#tf');";
  for (const name of readdirSync(folder, { recursive: true })) {
    if (!name.endsWith('.js')) continue;
    const path = join(folder, name);
    const source = readFileSync(path, 'utf8');
    if (source.includes(imported)) writeFileSync(path, source.replace(imported, required));
  }
}

if (realpathSync(process.argv[1]) === import.meta.filename) {
  const output = process.argv.includes('--if-changed') && isBuilt() ? '' : await buildTypeScript();
  if (output) {
    console.error(output);
    process.exitCode = 1;
  }
}
