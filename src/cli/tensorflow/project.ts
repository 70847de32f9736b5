import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EatDmlError } from '../../errors.js';
import type { LibrarySource } from './library.js';
import { runTool, type ToolOptions } from './run-tool.js';

/** The version of tfjs that this package is built on; both must be the same. */
const VERSION = '4.22.0';
const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/** What a set-up replaces inside the package. */
const REPLACED = ['deps', 'lib'];
/** Holds what was there while a set-up runs; found later, it tells of one that was killed. */
const BEFORE = '.eat-dml-before';
const RECORD = 'deps/eat-dml.json';

export interface NodePackage {
  name: string;
  folder: string;
  /** It was not there and was installed by this set-up. */
  installed: boolean;
}

/** tfjs-node-gpu or tfjs-node as the project has it; installed without scripts, and unsaved, where there is neither. */
export async function nodePackage(project: string, tool: ToolOptions): Promise<NodePackage> {
  if (!existsSync(join(project, 'package.json'))) {
    throw new EatDmlError('ERR_BUILD', `Expected a project (a folder with package.json) but ${project} is none.`, {
      hint: 'Run it in your project, or name one by --dir. `npm init -y` makes one.',
    });
  }
  const found = findPackage(project);
  if (found) return { ...found, installed: false };
  // --save-prod though nothing is saved: else an optional peer of the project stays away.
  const quiet = ['--ignore-scripts', '--no-save', '--save-prod', '--no-audit', '--no-fund', '--prefer-offline'];
  try {
    await npm(['install', ...quiet, `${PACKAGES[0]}@${VERSION}`], { ...tool, cwd: project });
  } catch (cause) {
    throw new EatDmlError('ERR_BUILD', `${PACKAGES[0]} could not be had: ${(cause as Error).message}`, { cause });
  }
  const installed = findPackage(project);
  if (installed) return { ...installed, installed: true };
  throw new EatDmlError('ERR_BUILD', `npm installed no ${PACKAGES[0]} in ${project}.`);
}

/** By looking, as Node does: Node itself remembers what was not there before npm put it there. */
export function findPackage(project: string): { name: string; folder: string } | undefined {
  for (const name of PACKAGES) {
    for (let at = project; ; at = dirname(at)) {
      const folder = join(at, 'node_modules', name);
      if (existsSync(join(folder, 'package.json'))) return { name, folder };
      if (at === dirname(at)) break;
    }
  }
  return undefined;
}

function npm(args: string[], tool: ToolOptions): Promise<string> {
  const path = process.env.npm_execpath;
  // Under another package manager npm_execpath names that one, whose flags differ.
  if (path && /npm-cli\.c?js$/.test(path)) return runTool(process.execPath, [path, ...args], tool);
  return runTool(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, tool);
}

/** Runs `work`, which replaces deps/ and lib/ of the package; where it fails everything is as it was before. */
export async function replacing(target: NodePackage, project: string, tool: ToolOptions, work: () => Promise<void>) {
  const { folder } = target;
  await putBack(folder);
  await mkdir(join(folder, BEFORE));
  await moveAll(REPLACED, folder, join(folder, BEFORE));
  try {
    await work();
  } catch (error) {
    await putBack(folder);
    if (target.installed) await uninstall(target, project, tool);
    throw error;
  }
  await rm(join(folder, BEFORE), { recursive: true, force: true });
}

/** Undoes a set-up that failed or was killed; nothing where there is none. */
async function putBack(folder: string): Promise<void> {
  if (!existsSync(join(folder, BEFORE))) return;
  for (const name of [...REPLACED, 'build']) await rm(join(folder, name), { recursive: true, force: true });
  await moveAll(REPLACED, join(folder, BEFORE), folder);
  await rm(join(folder, BEFORE), { recursive: true });
}

async function moveAll(names: string[], from: string, to: string): Promise<void> {
  for (const name of names) if (existsSync(join(from, name))) await rename(join(from, name), join(to, name));
}

async function uninstall({ name }: NodePackage, project: string, tool: ToolOptions): Promise<void> {
  const quiet = ['--ignore-scripts', '--no-save', '--no-audit', '--no-fund'];
  await npm(['uninstall', ...quiet, name], { ...tool, cwd: project }).catch(() => undefined);
}

/** Whether the package was set up from this source before. */
export async function isSetUp(folder: string, source: LibrarySource): Promise<boolean> {
  if (existsSync(join(folder, BEFORE))) return false;
  try {
    const record = JSON.parse(await readFile(join(folder, RECORD), 'utf8'));
    return JSON.stringify(record) === JSON.stringify(source);
  } catch {
    return false;
  }
}

export async function recordSetUp(folder: string, source: LibrarySource): Promise<void> {
  await writeFile(join(folder, RECORD), JSON.stringify(source));
}
