/**
 * `npm run pack:platform -- [PLATFORM...] [--out FOLDER]`: packs the native addon for machines without a compiler, as the npm package
 * @eat-dml/PLATFORM, and eat-dml itself with these packages as optional dependencies. Without a PLATFORM it is that of this machine. It is
 * compiled here: for linux-arm64 on linux-x64 by g++-aarch64-linux-gnu, else on a machine of that kind.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { onPath, root } from './native-addon.mjs';

/** What packages are made for; others may be built by `eat-dml build`. */
export const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64'];
const here = `${process.platform}-${process.arch}`;
const require = createRequire(import.meta.url);
const { version, license, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Builds the addon for a platform, free of what a compiler brings (libstdc++): {path, needs}; needs is a sentence. */
export function buildPortable(platform) {
  const folder = join(root, `native/build-${platform}`);
  const cross = platform === 'linux-arm64' && here === 'linux-x64';
  if (platform !== here && !cross)
    throw new Error(`Expected to be on ${platform} to build for it, but this is ${here}.`);
  const headers = dirname(require.resolve('node-api-headers/package.json'));
  const options = [`-DCMAKE_JS_INC=${join(headers, 'include')}`, '-DCMAKE_BUILD_TYPE=Release', '-DEAT_DML_PORTABLE=ON'];
  if (onPath('ninja')) options.push('-G', 'Ninja');
  if (onPath('ccache')) options.push('-DCMAKE_CXX_COMPILER_LAUNCHER=ccache');
  if (cross) {
    options.push(
      '-DCMAKE_SYSTEM_NAME=Linux',
      '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
      '-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++',
    );
  }
  // Node's own symbols are found when it loads the addon.
  if (process.platform === 'darwin') options.push('-DCMAKE_SHARED_LINKER_FLAGS=-undefined dynamic_lookup');
  if (process.platform === 'win32') options.push(...nodeLibrary(folder, headers));
  const inherit = { stdio: ['ignore', 'inherit', 'inherit'] };
  execFileSync('cmake', ['-S', join(root, 'native'), '-B', folder, ...options], inherit);
  execFileSync('cmake', ['--build', folder, '--config', 'Release', '-j', String(availableParallelism())], inherit);
  const path = [join(folder, 'Release/eat_dml.node'), join(folder, 'eat_dml.node')].find(existsSync);
  return { path, needs: platform.startsWith('linux-') ? glibcOf(path) : 'What Node itself needs.' };
}

/** Windows links against a library of Node's exports, which node-api-headers describes and the compiler's `lib` makes. */
function nodeLibrary(folder, headers) {
  mkdirSync(folder, { recursive: true });
  const library = join(folder, 'node_api.lib');
  const definition = join(headers, 'def/node_api.def');
  execFileSync('lib', [`/def:${definition}`, `/out:${library}`, '/machine:x64'], { stdio: 'inherit' });
  return [`-DCMAKE_JS_LIB=${library}`, `-DCMAKE_JS_SRC=${require.resolve('cmake-js/lib/cpp/win_delay_load_hook.cc')}`];
}

/** The newest version of glibc whose symbols the addon takes; no other library than glibc's and libgcc_s, which Node takes, may be needed. */
function glibcOf(path) {
  const { stdout, error } = spawnSync('objdump', ['-T', '-p', path], { encoding: 'utf8' });
  if (error) throw new Error('Expected objdump (binutils) to read which glibc the addon needs but received none.');
  const foreign = [...stdout.matchAll(/NEEDED\s+(\S+)/g)]
    .map(([, name]) => name)
    .filter((name) => !/^(lib(c|m|dl|pthread|gcc_s)\.so|ld-linux)/.test(name));
  if (foreign.length > 0)
    throw new Error(`Expected the addon to need glibc and libgcc_s alone but it needs ${foreign.join(', ')}.`);
  const versions = [...stdout.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [
    Number(major),
    Number(minor),
  ]);
  const [major, minor] = versions.sort((a, b) => b[0] - a[0] || b[1] - a[1])[0];
  return `Linux with glibc ${major}.${minor} or newer.`;
}

/** Packs @eat-dml/PLATFORM around an addon into `out`; returns the tarball's path. */
export function packPlatform(platform, { path, needs }, out) {
  const [os, cpu] = platform.split('-');
  const name = `@eat-dml/${platform}`;
  const about = {
    ...{ name, version, description: `The native addon of eat-dml for ${platform}.`, license, main: 'eat_dml.node' },
    ...{ files: ['eat_dml.node'], os: [os], cpu: [cpu], ...(os === 'linux' && { libc: ['glibc'] }), engines },
  };
  const words = `# ${name}\n\nThe native addon of [eat-dml](https://www.npmjs.com/package/eat-dml) ${version}, which loads it by itself. Node-API 8, any Node from ${engines.node.replace('>=', '')} on. ${needs}\n`;
  return inFolder((folder) => {
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify(about, null, 2)}\n`);
    writeFileSync(join(folder, 'README.md'), words);
    copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
    copyFileSync(path, join(folder, 'eat_dml.node'));
    return pack(folder, out);
  });
}

/** Packs eat-dml into `out` as it is published: with the packages of all platforms as optional dependencies. */
export function packMain(out) {
  return inFolder((folder) => {
    const plain = pack(root, folder);
    execFileSync('tar', ['-xzf', plain, '-C', folder]);
    const manifest = join(folder, 'package/package.json');
    const about = JSON.parse(readFileSync(manifest, 'utf8'));
    about.optionalDependencies = Object.fromEntries(PLATFORMS.map((platform) => [`@eat-dml/${platform}`, version]));
    writeFileSync(manifest, `${JSON.stringify(about, null, 2)}\n`);
    return pack(join(folder, 'package'), out);
  });
}

function pack(folder, out) {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', out];
  const options = { cwd: folder, encoding: 'utf8', shell: process.platform === 'win32' };
  return join(
    out,
    JSON.parse(execFileSync('npm', args, options))[0]
      .filename.replace('@', '')
      .replace('/', '-'),
  );
}

function inFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'eat-dml-platform-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({
    options: { out: { type: 'string', default: '.' } },
    allowPositionals: true,
  });
  const out = resolve(values.out);
  mkdirSync(out, { recursive: true });
  for (const platform of positionals.length > 0 ? positionals : [here]) {
    if (!PLATFORMS.includes(platform))
      throw new Error(`Expected a platform, one of ${PLATFORMS.join(', ')}, but received ${platform}.`);
    const built = buildPortable(platform);
    console.error(`${packPlatform(platform, built, out)}: ${built.needs}`);
  }
  console.error(packMain(out));
}
