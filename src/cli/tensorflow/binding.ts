import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { EatDmlError } from '../../errors.js';
import { runTool, type ToolOptions } from './run-tool.js';

/** The newest Node-API that tfjs-node 4.22 knows, and this process's. */
const NAPI = Math.min(8, Number(process.versions.napi));

/** Where @mapbox/node-pre-gyp looks for the binding. */
export function bindingFolder(packageFolder: string): string {
  return join(packageFolder, 'lib', `napi-v${NAPI}`);
}

/** Builds tfjs_binding.node from the package's sources against its deps/ into lib/napi-v8, by node-gyp. */
export async function buildBinding(packageFolder: string, tool: ToolOptions): Promise<void> {
  const variables = [
    `--napi_build_version=${NAPI}`,
    '--module_name=tfjs_binding',
    `--module_path=${bindingFolder(packageFolder)}`,
  ];
  const args = [findNodeGyp(packageFolder), 'rebuild', ...variables, ...headersOption()];
  await runTool(process.execPath, args, { ...tool, cwd: packageFolder });
  await rm(join(packageFolder, 'build'), { recursive: true, force: true });
}

/** node-gyp of the project, or the one that came with npm. */
function findNodeGyp(packageFolder: string): string {
  const entry = 'node-gyp/bin/node-gyp.js';
  for (const from of [join(packageFolder, 'package.json'), import.meta.url]) {
    try {
      return createRequire(from).resolve(entry);
    } catch {
      // Looked for in the next place.
    }
  }
  const found = npmFolders()
    .map((npm) => join(npm, 'node_modules', entry))
    .find(existsSync);
  if (found) return found;
  throw new EatDmlError('ERR_BUILD', 'Expected node-gyp to build the binding but found none, not even in npm.', {
    hint: 'npm install --no-save node-gyp',
  });
}

/** Where npm's own files may lie: as npm says when it runs us, beside this Node, and where distributions put it. */
function npmFolders(): string[] {
  const said = process.env.npm_execpath ? [dirname(dirname(process.env.npm_execpath))] : [];
  const prefixes = [dirname(dirname(process.execPath)), ...(process.env.PATH ?? '').split(delimiter).map(dirname)];
  return [...said, ...prefixes.flatMap((prefix) => [join(prefix, 'lib/node_modules/npm'), join(prefix, 'share/npm')])];
}

/** The headers that came with this Node, so that none are downloaded. */
function headersOption(): string[] {
  const prefix = dirname(dirname(process.execPath));
  const there = !process.env.npm_config_nodedir && existsSync(join(prefix, 'include/node/common.gypi'));
  return there ? [`--nodedir=${prefix}`] : [];
}
