/**
 * Builds the native addon from the sources in native/: with cmake-js, else with node-gyp (a checkout has binding.gyp),
 * else it says what is missing. One copy for `npm run build:native`, `prepare` and `eat-dml build`; plain JavaScript,
 * since it runs before anything is compiled.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const windows = process.platform === 'win32';

/** Folder of the package. */
export const root = fileURLToPath(new URL('../', import.meta.url));

/** Where each way leaves the addon, in the order in which it is looked for. */
const OUTPUT = {
  'cmake-js': join(root, 'native/build/Release/eat_dml.node'),
  'node-gyp': join(root, 'build/Release/eat_dml.node'),
};

/** The path of the first of `names` that is an executable file on PATH. */
export function onPath(...names) {
  const endings = windows ? (process.env.PATHEXT ?? '.EXE;.CMD;.BAT').split(';') : [''];
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  for (const name of names) {
    const path = folders.flatMap((folder) => endings.map((end) => join(folder, name + end))).find(isExecutable);
    if (path) return path;
  }
  return undefined;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Where `module` would be required from, if it is there. */
export function resolved(module) {
  try {
    return require.resolve(module);
  } catch {
    return undefined;
  }
}

/** What is on PATH of what a build may take. */
export function buildTools() {
  return {
    // CMake finds Microsoft's compiler by itself, and that one is not on PATH.
    compiler: process.env.CXX || onPath('c++', 'g++', 'clang++') || (windows ? 'cl' : undefined),
    cmake: onPath('cmake'),
    make: onPath('ninja', 'make') ?? (windows ? 'msbuild' : undefined),
    gnuMake: onPath('make'),
    python: onPath('python3', 'python'),
  };
}

/** The ways that the tools here allow, best first, and what is missing where there is none. */
export function buildPlan(tools = buildTools()) {
  const cmakeJs = resolved('cmake-js/bin/cmake-js');
  const nodeGyp = existsSync(join(root, 'binding.gyp')) ? resolved('node-gyp/bin/node-gyp.js') : undefined;
  const ways = [];
  if (tools.compiler && tools.cmake && tools.make && cmakeJs) {
    const args = [cmakeJs, 'compile', '--directory', join(root, 'native'), '--out', join(root, 'native/build')];
    ways.push({ name: 'cmake-js', args, output: OUTPUT['cmake-js'] });
  }
  if (tools.compiler && tools.python && tools.gnuMake && nodeGyp) {
    const args = [nodeGyp, 'rebuild', `--jobs=max`, ...headersOption()];
    ways.push({ name: 'node-gyp', args, output: OUTPUT['node-gyp'] });
  }
  const missing = [
    tools.compiler ? undefined : 'a C++ compiler (g++ or clang++)',
    tools.cmake ? undefined : nodeGyp && !tools.python ? 'cmake (or python3 and make)' : 'cmake',
    tools.make ? undefined : 'ninja or make',
    cmakeJs || nodeGyp ? undefined : 'the npm package cmake-js',
  ].filter(Boolean);
  return { ways, missing: ways.length > 0 ? [] : missing };
}

/** The headers that came with this Node, so that none are downloaded; npm_config_nodedir is node-gyp's own to read. */
function headersOption() {
  const prefix = dirname(dirname(process.execPath));
  const there = !process.env.npm_config_nodedir && existsSync(join(prefix, 'include/node/common.gypi'));
  return there ? [`--nodedir=${prefix}`] : [];
}

/** One sentence: how to get the tools that are missing, as buildPlan names them, on this system; empty where none is. */
export function howToGetTools(missing) {
  if (missing.length === 0) return '';
  const debian = [
    [/compiler/, 'g++'],
    [/^cmake/, 'cmake'],
    [/^ninja/, 'make'],
  ];
  const packages = debian.filter(([tool]) => missing.some((name) => tool.test(name))).map(([, name]) => name);
  const how = process.platform === 'linux' && packages.length > 0 ? ` (apt-get install ${packages.join(' ')})` : '';
  return `Install ${missing.join(' and ')}${how}, then build again.`;
}

/**
 * Builds by the first way that works and checks the result by loading it in a child process.
 * Returns {ok, way?, path?, info?, missing, failures: [{way, output}]}. `write` gets the tools' output as it comes.
 */
export async function buildNative({ write = () => {} } = {}) {
  const { ways, missing } = buildPlan();
  const failures = [];
  for (const { name, args, output } of ways) {
    const built = await run(process.execPath, args, write);
    const loaded = built.code === 0 ? await probe(output) : undefined;
    if (loaded?.info) {
      // An addon of the other way may be older, and would be found first.
      for (const other of Object.values(OUTPUT)) if (other !== output) rmSync(other, { force: true });
      return { ok: true, way: name, path: output, info: loaded.info, missing, failures };
    }
    failures.push({ way: name, output: loaded ? loaded.failure : built.output });
  }
  return { ok: false, missing, failures };
}

/** Loads an addon in a child process, which a broken one may take down with it. */
export async function probe(path) {
  const program = 'process.stdout.write(JSON.stringify(require(process.argv[1]).info()))';
  const { code, output } = await run(process.execPath, ['-e', program, path], () => {});
  return code === 0 ? { info: JSON.parse(output) } : { failure: output };
}

/** Runs a tool in the package's folder: {code, output}, of both its streams. */
export function run(command, args, write) {
  return new Promise((resolve) => {
    // make, unlike ninja, compiles one file at a time unless it is told otherwise.
    const env = { CMAKE_BUILD_PARALLEL_LEVEL: String(availableParallelism()), ...process.env };
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (chunk) => {
      output += chunk;
      write(chunk);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => resolve({ code: 1, output: `${output}${error.message}` }));
    child.on('close', (code, signal) => resolve({ code: code ?? 1, output: signal ? `${output}${signal}` : output }));
  });
}

/** Why there is no addon, as one line. */
export function whyNotBuilt({ missing, failures }) {
  if (failures.length > 0) return `${failures.map(({ way }) => way).join(' and ')} failed to build the native addon`;
  return `the native addon is not built, ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing`;
}
