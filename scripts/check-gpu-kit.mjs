/**
 * `npm run check:gpu-kit`: the kit for a GPU on another machine (scripts/gpu-pack.mjs), in a folder with nothing but what was packed and
 * on a PATH without node, npm and a compiler. On the emulator every step must pass; packed for a GPU and run where no driver is, it must
 * end soon, with one sentence and a status that is not 0. What travels must be small. Says what it lacks, and passes.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNvcc, missingTools } from './device-addon.mjs';
import { onPath, root } from './native-addon.mjs';

/** All that run.sh asks for of a machine. */
const TOOLS =
  'bash cat chmod cut env grep head mkdir mktemp mv nproc rm sed sleep tail tar tee timeout uname xz dirname'.split(
    ' ',
  );
const SECONDS_WITHOUT_DRIVER = 10;

const say = (line) => console.log(`check:gpu-kit: ${line}`);
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-gpu-kit-'));
let failed = false;

function require(fine, what) {
  if (!fine) say(`FAILED: ${what}`);
  failed ||= !fine;
}

/** gpu:pack's kit in a folder of its own, with a Node that is packed already, where there is one: that takes a minute. */
function pack(name, args, node) {
  const machine = join(folder, name);
  mkdirSync(join(machine, '.gpu-kit'), { recursive: true });
  if (node && existsSync(node)) copyFileSync(node, join(machine, '.gpu-kit/node.xz'));
  const packed = spawnSync(process.execPath, ['scripts/gpu-pack.mjs', '--out', join(machine, '.gpu-kit'), ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  const lines = packed.stderr.split('\n').filter((line) => line.startsWith('gpu:pack: '));
  console.log(lines.join('\n'));
  if (packed.status !== 0) console.log(packed.stderr.slice(-4000));
  require(packed.status === 0, `gpu:pack ${args.join(' ')} ended with ${packed.status}`);
  require(readdirSync(machine).length === 1, 'the folder holds more than the kit');
  return { machine, ok: packed.status === 0 };
}

/** bash .gpu-kit/run.sh PLAN with only the tools that it names on PATH: {status, seconds, summary}. */
function runKit(machine, plan, env = {}) {
  const start = performance.now();
  const { status, stdout } = spawnSync(onPath('bash'), ['.gpu-kit/run.sh', plan], {
    cwd: machine,
    env: { PATH: join(folder, 'bin'), HOME: machine, OUT: join(machine, 'out'), ...env },
    encoding: 'utf8',
  });
  console.log(stdout.replace(/^/gm, '  '));
  const summary = readFileSync(join(machine, 'out/summary.txt'), 'utf8');
  return { status, seconds: (performance.now() - start) / 1000, summary };
}

/** Returns the Node that was packed. */
function onEmulator() {
  const { machine, ok } = pack('emulator', ['--emulator'], join(root, '.gpu-kit/node.xz'));
  if (!ok) return undefined;
  const { status, summary } = runKit(machine, 'all', { KIT_SECONDS: '1200' });
  require(status === 0, `run.sh all ended with ${status} on the emulator`);
  require(/\n\d+ passed, 0 failed, 0 skipped; /.test(summary), 'not every step passed on the emulator');
  return join(machine, '.gpu-kit/node.xz');
}

function withoutDriver(node) {
  const { machine, ok } = pack('no-driver', [], node);
  if (!ok) return;
  const { status, seconds, summary } = runKit(machine, 'all');
  say(`without a driver: status ${status} after ${seconds.toFixed(1)} s`);
  require(status === 3 && seconds < SECONDS_WITHOUT_DRIVER, 'without a driver it must end soon, with 3');
  const sentences = summary
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('FAIL'));
  require(sentences.join() === 'FAIL: no usable CUDA device: there is no NVIDIA driver', 'not the one sentence');
}

const missing = [...missingTools('simt'), ...['bash', 'timeout', 'tar', 'xz', 'strip'].filter((tool) => !onPath(tool))];
if (missing.length > 0) {
  say(`skipped: ${missing.join(' and ')} missing`);
  process.exit(0);
}
try {
  mkdirSync(join(folder, 'bin'));
  for (const tool of TOOLS) symlinkSync(onPath(tool), join(folder, 'bin', tool));
  const node = onEmulator();
  if (!findNvcc()) say('skipped: nvcc is missing, so no kit for a GPU is packed');
  else if (onPath('nvidia-smi')) say('skipped: there is a driver here, and how it ends without one is not seen');
  else withoutDriver(node);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
say(failed ? 'failed' : 'passed');
process.exit(failed ? 1 : 0);
