/**
 * The kit for a GPU on another machine, which needs no Node, no npm and no network there: the device's addon and gpu_smoke (the kernels
 * without Node), the CPU addon, the case table, the shared tests and bench:gpu as one file each, run.sh, and a Node of its own.
 * With device `simt` it is the same kit on the emulator, so that all of it can be tried without a GPU. `npm run test:gpu` runs it as
 * it is staged; `npm run gpu:pack` packs it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { buildDevice } from './device-addon.mjs';
import { buildNative, onPath, root, whyNotBuilt } from './native-addon.mjs';

/** What a kit is made from is not there, or does not build. */
export class KitError extends Error {}

const CPU_ADDON = join(root, 'native/build/Release/eat_dml.node');

/** The kit's parts in `folder`, unpacked: run.sh and app/. */
export async function stageKit(device, folder, write = () => {}) {
  const { ok, path, missing, output } = await buildDevice(device, { write });
  if (missing.length > 0) throw new KitError(`${missing.join(' and ')} missing`);
  if (!ok) throw new KitError(`the ${device} addon does not build:\n${output.slice(-4000)}`);
  if (!existsSync(CPU_ADDON)) {
    const native = await buildNative({ write });
    if (native.path !== CPU_ADDON) throw new KitError(`the CPU addon is not built by cmake-js: ${whyNotBuilt(native)}`);
  }
  const app = join(folder, 'app');
  for (const part of ['bin', 'addon', 'js']) mkdirSync(join(app, part), { recursive: true });
  copyFileSync(join(dirname(path), 'gpu_smoke'), join(app, 'bin/gpu_smoke'));
  for (const addon of [path, CPU_ADDON]) copyFileSync(addon, join(app, 'addon', basename(addon)));
  for (const peer of ['gpu.py', 'training_step.py', 'networks.py'])
    copyFileSync(join(root, 'bench/peers', peer), join(app, 'js', peer));
  writeFileSync(join(app, 'device'), device);
  writeFileSync(join(app, 'commit'), commit());
  await bundle(join(app, 'js'));
  stageWebgpu(app, write);
  copyFileSync(join(root, 'scripts/gpu-run.sh'), join(folder, 'run.sh'));
  copyFileSync(join(root, 'scripts/gpu-plans.sh'), join(folder, 'gpu-plans.sh'));
}

/** WebGPU for the programs in app/js: Dawn, as npm's package has it for this platform, and the Vulkan loader of this machine. */
function stageWebgpu(app, write) {
  const dawn = join(root, 'node_modules/webgpu');
  const platform = join('dist', `${process.platform}-${process.arch}`);
  const loader = vulkanLoader();
  if (!existsSync(join(dawn, platform)) || !loader) {
    write('without WebGPU: npm install --no-save webgpu, and a Vulkan loader (libvulkan1)\n');
    return;
  }
  const to = join(app, 'node_modules/webgpu');
  for (const part of ['package.json', 'index.js', platform])
    cpSync(join(dawn, part), join(to, part), { recursive: true });
  mkdirSync(join(app, 'vulkan'));
  copyFileSync(loader, join(app, 'vulkan/libvulkan.so.1'));
}

/** The path of libvulkan.so.1 as the linker's cache has it. */
function vulkanLoader() {
  const cache = ['ldconfig', '/sbin/ldconfig'].map(
    (tool) => spawnSync(tool, ['-p'], { encoding: 'utf8' }).stdout ?? '',
  );
  const path = cache.join('\n').match(/libvulkan\.so\.1 \(libc6,x86-64\) => (\S+)/)?.[1];
  return path && realpathSync(path);
}

/** What the kit was made from: the commit, and whether the working tree had changes. */
function commit() {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
  return `${git('rev-parse', 'HEAD') || 'unknown'}${git('status', '--porcelain') ? ' with changes' : ''}\n`;
}

/** Each program with all that it imports, as JS/NAME.mjs. */
async function bundle(outdir) {
  const { build } = await import('esbuild');
  await build({
    entryPoints: {
      parity: join(root, 'test/gpu/parity.ts'),
      suite: join(root, 'test/gpu/suite.ts'),
      'bench-gpu': join(root, 'bench/gpu.ts'),
      'bench-webgpu': join(root, 'bench/webgpu.ts'),
      'training-step': join(root, 'bench/training-step.ts'),
    },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    alias: { vitest: join(root, 'test/gpu/vitest.ts') },
    external: ['sharp'],
    plugins: [backendOfWebgpu],
    // Some packages are CommonJS and call require.
    banner: {
      js: "import { createRequire as kitRequire } from 'node:module'; const require = kitRequire(import.meta.url);",
    },
  });
}

/** tfjs's backend must share tfjs with the program: it is named where the source leaves it to be found when asked for. */
const backendOfWebgpu = {
  name: 'tfjs-backend-webgpu',
  setup(build) {
    const name = '@tensorflow/tfjs-backend-webgpu';
    if (!existsSync(join(root, 'node_modules', name))) return;
    build.onLoad({ filter: /src\/tfjs\/webgpu\/backend\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace('await import(name)', `await import('${name}')`),
      loader: 'ts',
    }));
  },
};

/** Packs a kit into `out`; returns its files: {name, bytes}. A Node that lies there from before is kept. */
export async function packKit(device, out, write) {
  const missing = ['tar', 'xz', 'strip'].filter((tool) => !onPath(tool));
  if (missing.length > 0) throw new KitError(`${missing.join(' and ')} missing`);
  const staged = mkdtempSync(join(tmpdir(), 'eat-dml-kit-'));
  try {
    await stageKit(device, staged, write);
    mkdirSync(out, { recursive: true });
    // gpu_smoke and the addon hold the same kernels: one dictionary spans both.
    const xz = 'xz -T1 --lzma2=preset=6,dict=64MiB';
    execFileSync('tar', ['-C', join(staged, 'app'), '-I', xz, '-cf', join(out, 'app.tar.xz'), '.']);
    for (const script of ['run.sh', 'gpu-plans.sh']) copyFileSync(join(staged, script), join(out, script));
    chmodSync(join(out, 'run.sh'), 0o755);
    packNode(join(out, 'node.xz'), staged);
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
  return ['app.tar.xz', 'node.xz', 'run.sh', 'gpu-plans.sh'].map((name) => ({
    name,
    bytes: statSync(join(out, name)).size,
  }));
}

/** This Node without its symbols; packing it takes a minute. */
function packNode(path, folder) {
  const node = realpathSync(process.execPath);
  if (existsSync(path) && statSync(path).mtimeMs > statSync(node).mtimeMs) return;
  const stripped = join(folder, 'node');
  copyFileSync(node, stripped);
  execFileSync('strip', [stripped]);
  execFileSync('xz', ['-T0', '-6', stripped]);
  copyFileSync(`${stripped}.xz`, path);
}

/** Bytes of the working tree without what git ignores: it travels beside the kit. */
export function workingTreeBytes() {
  const list = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (list.status !== 0) return 0;
  const files = list.stdout.split('\0').filter((name) => name !== '' && existsSync(join(root, name)));
  return files.reduce((sum, name) => sum + statSync(join(root, name)).size, 0);
}

/** The newest version that a binary needs of a library, by its symbols ("GLIBC", "GLIBCXX"). */
export function newestNeeded(path, library) {
  const found = readFileSync(path, 'latin1').matchAll(new RegExp(`\\b${library}_(\\d+(?:\\.\\d+)+)`, 'g'));
  const versions = [...new Set([...found].map(([, version]) => version))];
  return versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
}
