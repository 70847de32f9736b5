import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin, version } from 'esbuild';
import { keepPlace, requireTfjs } from './source-module.js';

const root = fileURLToPath(new URL('../', import.meta.url));
// Below node_modules, so that packages are found from there.
const cache = join(root, 'node_modules/.cache/eat-dml-tests');
const DAY_MS = 86_400_000;

const sources: Plugin = {
  name: 'sources',
  setup(into) {
    into.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: keepPlace(requireTfjs(readFileSync(path, 'utf8')), path),
      loader: 'ts',
    }));
  },
};

/**
 * A TypeScript program of the checkout ("src/cli/main.ts") as JavaScript that Node starts by itself, in 1 s of a processor where
 * tsx takes 4; built where a source changed since. What is imported when it is needed stays so.
 */
export async function program(entry: string): Promise<string> {
  const name = basename(entry, '.ts');
  const folder = join(cache, `${name}-${stateOf(entry)}`);
  const path = join(folder, `${name}.js`);
  if (isFile(path)) return path;
  mkdirSync(cache, { recursive: true });
  removeOld();
  const outdir = mkdtempSync(join(cache, 'making-'));
  await build({
    ...{ entryPoints: [join(root, entry)], outdir, plugins: [sources], absWorkingDir: root, logLevel: 'error' },
    ...{ bundle: true, splitting: true, format: 'esm', outExtension: { '.js': '.js' } },
    ...{ platform: 'node', target: 'node20', packages: 'external', keepNames: true },
  });
  try {
    renameSync(outdir, folder);
  } catch (error) {
    // Another test file was quicker.
    rmSync(outdir, { recursive: true });
    if (!isFile(path)) throw error;
  }
  return path;
}

/** Changes whenever a source does. */
function stateOf(entry: string): string {
  const hash = createHash('sha256').update(`${version}\n${entry}\n`);
  for (const room of ['src', 'test']) {
    for (const name of readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).sort()) {
      if (!name.endsWith('.ts')) continue;
      const { mtimeMs, size } = statSync(join(root, room, name));
      hash.update(`${room}/${name} ${mtimeMs} ${size}\n`);
    }
  }
  return hash.digest('hex').slice(0, 16);
}

function removeOld(): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    if (Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > DAY_MS)
      rmSync(path, { recursive: true, force: true });
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
