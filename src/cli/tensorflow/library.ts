import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join, relative } from 'node:path';
import { EatDmlError } from '../../errors.js';
import { runTool, type ToolOptions } from './run-tool.js';

export interface LibrarySource {
  /** `wheel`: PyPI; `download`: tfjs-node's own; else a folder. */
  from: string;
  version: string;
  gpu: boolean;
}

/** The two libraries in every layout, and what the binding's build links against. */
const LINKS = [
  { link: 'libtensorflow.so', names: ['libtensorflow_cc.so.2', 'libtensorflow.so.2'] },
  { link: 'libtensorflow_framework.so', names: ['libtensorflow_framework.so.2'] },
];

/** Takes the libraries and the C headers out of a wheel; all other headers (of which there are thousands) stay inside. */
const UNPACK = `
import re, sys, zipfile
wheel, out = sys.argv[1:]
kept = re.compile(r'tensorflow/(libtensorflow(_cc|_framework)?\\.so\\.2|include/(tensorflow/c|tensorflow/core/platform|tsl/platform|xla/tsl/c)/.*\\.h)$')
with zipfile.ZipFile(wheel) as z:
    names = [n for n in z.namelist() if kept.match(n)]
    z.extractall(out, names)
`;

/** Puts libtensorflow and its C headers into the package's deps/: lib/ and include/, as its binding.gyp wants them. */
export async function placeLibrary(packageFolder: string, source: LibrarySource, tool: ToolOptions): Promise<void> {
  if (source.from === 'download') return download(packageFolder, source, tool);
  if (process.platform !== 'linux') {
    throw new EatDmlError('ERR_BUILD', `Expected Linux for --from ${source.from} but this is ${process.platform}.`, {
      hint: 'Use --from download.',
    });
  }
  const deps = join(packageFolder, 'deps');
  if (source.from !== 'wheel') return placeFolder(source.from, deps);
  const folder = await mkdtemp(join(tmpdir(), 'eat-dml-tensorflow-'));
  try {
    const wheel = await downloadWheel(folder, source, tool);
    const unpacked = join(deps, 'wheel');
    await mkdir(unpacked, { recursive: true });
    await runTool(python(), ['-c', UNPACK, wheel, unpacked], { ...tool, cwd: folder });
    await placeFolder(join(unpacked, 'tensorflow'), deps);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function python(): string {
  return process.env.PYTHON || 'python3';
}

async function downloadWheel(folder: string, { version, gpu }: LibrarySource, tool: ToolOptions): Promise<string> {
  const requirement = `${gpu ? 'tensorflow' : 'tensorflow-cpu'}==${version}`;
  const args = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--dest', folder, requirement];
  try {
    await runTool(python(), args, { ...tool, cwd: folder });
  } catch (cause) {
    const message = `The wheel ${requirement} could not be had: ${(cause as Error).message}`;
    const hint = 'pip takes it from its configured index; a folder with libtensorflow goes by --from DIR.';
    throw new EatDmlError('ERR_BUILD', message, { hint, cause });
  }
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (!wheel) throw new EatDmlError('ERR_BUILD', `pip downloaded no wheel for ${requirement}.`);
  return join(folder, wheel);
}

/**
 * Links deps/lib and deps/include to a folder in either layout: libtensorflow's archive (lib/, include/) or an installed
 * Python package `tensorflow` (libraries beside include/).
 */
async function placeFolder(folder: string, deps: string): Promise<void> {
  const libraries = existsSync(join(folder, 'lib')) ? join(folder, 'lib') : folder;
  const include = join(folder, 'include');
  const lib = join(deps, 'lib');
  await mkdir(lib, { recursive: true });
  if (!existsSync(join(include, 'tensorflow/c/c_api.h'))) throw missing(folder, 'include/tensorflow/c/c_api.h');
  await symlink(folder.startsWith(deps) ? relative(deps, include) : include, join(deps, 'include'));
  for (const { link, names } of LINKS) {
    const name = names.find((candidate) => existsSync(join(libraries, candidate)));
    if (!name) throw missing(folder, names.join(' or '));
    const inside = relative(lib, join(libraries, name));
    // The loader looks for the library by the name it was built with, the linker by the name without a version.
    await symlink(folder.startsWith(deps) ? inside : join(libraries, name), join(lib, name));
    await symlink(name, join(lib, link));
  }
}

function missing(folder: string, what: string): EatDmlError {
  return new EatDmlError('ERR_BUILD', `Expected ${what} in ${folder} but it is not there.`, {
    hint: "The folder of libtensorflow's archive (lib/, include/) or of the Python package tensorflow.",
  });
}

/** tfjs-node's own way: its install script brings libtensorflow 2.9 and a binding for it, built here where it has none. */
async function download(packageFolder: string, { gpu }: LibrarySource, tool: ToolOptions): Promise<void> {
  // The script finds node-pre-gyp by PATH, as under npm; the package may lie in its own or in the project's node_modules.
  const bins = [join(packageFolder, 'node_modules/.bin'), join(packageFolder, '../../.bin')];
  const env = { PATH: [...bins, process.env.PATH].join(delimiter) };
  await runTool(process.execPath, ['scripts/install.js', gpu ? 'gpu' : 'cpu', 'download'], {
    ...tool,
    cwd: packageFolder,
    env,
  });
  const lib = join(packageFolder, 'deps/lib');
  if (existsSync(lib)) return;
  throw new EatDmlError('ERR_BUILD', `The install script of ${basename(packageFolder)} downloaded no libtensorflow.`, {
    hint: 'Use --from wheel, or --from DIR.',
  });
}
