/**
 * Compiles native/cuda for every architecture and reads the compiler's report: a kernel that spills registers or keeps a stack in
 * local memory fails the check (`npm run check:cuda`). Without nvcc it says so and passes.
 *   node scripts/check-cuda.mjs [--json] [name ...]   only these files of native/cuda; --json prints the report
 * EAT_DML_CUDA_ARCHITECTURES ("80;90a") checks those alone.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNvcc } from './device-addon.mjs';
import { root } from './native-addon.mjs';

export const ARCHITECTURES = ['80', '86', '89', '90a', '100', '120'];

// As in native/cuda/device.cmake.
const OPTIONS = ['-std=c++17', '-O3', '--fmad=false', '-Xptxas=-v'];

/** The identifiers of a mangled kernel name: 'eat::cuda::f' of _ZN3eat4cuda1fEv, with its template arguments' numbers. */
export function readableName(mangled) {
  const names = [];
  let rest = mangled.replace(/^_ZN?/, '');
  for (let m = /^(\d+)/.exec(rest); m; m = /^(\d+)/.exec(rest)) {
    const at = m[1].length;
    names.push(rest.slice(at, at + Number(m[1])));
    rest = rest.slice(at + Number(m[1]));
  }
  const values = [...rest.matchAll(/L[a-z](\d+)E/g)].map((m) => m[1]);
  const name = names.filter((n) => n !== 'eat' && n !== 'cuda' && n !== '_GLOBAL__N_1').join('::');
  return values.length > 0 && rest.startsWith('I') ? `${name}<${values.join(', ')}>` : name;
}

/** What `ptxas -v` says of each kernel: {kernel, mangled, architecture, registers, shared, stack, spills}; bytes. */
export function readReport(text) {
  const kernels = [];
  let current;
  for (const line of text.split('\n')) {
    const entry = /Compiling entry function '(\w+)' for 'sm_(\w+)'/.exec(line);
    if (entry) {
      current = { kernel: readableName(entry[1]), mangled: entry[1], architecture: entry[2] };
      kernels.push(current);
    }
    const frame = /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
    // The same line follows for device functions that were not inlined: their frames count for the kernel before them.
    if (frame && current) {
      current.stack = (current.stack ?? 0) + Number(frame[1]);
      current.spills = (current.spills ?? 0) + Number(frame[2]) + Number(frame[3]);
    }
    const used = /Used (\d+) registers/.exec(line);
    if (used && current) {
      current.registers = Number(used[1]);
      current.shared = Number(/(\d+) bytes smem/.exec(line)?.[1] ?? 0);
    }
  }
  return kernels;
}

/** One line for each kernel that uses local memory. */
export function complaints(kernels) {
  return kernels
    .filter((k) => k.stack > 0 || k.spills > 0)
    .map(
      (k) => `sm_${k.architecture} ${k.kernel}: ${k.stack} bytes of stack, ${k.spills} bytes of spills (${k.mangled})`,
    );
}

/** The report of one source, compiled for all `architectures` by one nvcc. */
async function compile(nvcc, source, architectures, folder) {
  const codes = architectures.map((a) => `-gencode=arch=compute_${a},code=sm_${a}`);
  const args = [...OPTIONS, ...codes, '-c', source, '-o', join(folder, `${basename(source)}.o`)];
  const child = spawn(nvcc, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`nvcc could not compile ${source}:\n${output}`);
  return readReport(output);
}

async function main(args) {
  const nvcc = findNvcc();
  if (!nvcc) {
    console.log('check-cuda: skipped, there is no nvcc (the CUDA toolkit, 12.8 or newer)');
    return 0;
  }
  const architectures = process.env.EAT_DML_CUDA_ARCHITECTURES?.split(';') ?? ARCHITECTURES;
  const asked = args.filter((a) => !a.startsWith('--'));
  const sources = readdirSync(join(root, 'native/cuda'), { recursive: true })
    .filter((name) => name.endsWith('.cu') && (asked.length === 0 || asked.includes(basename(name, '.cu'))))
    .sort();
  const folder = mkdtempSync(join(tmpdir(), 'eat-dml-cuda-'));
  const reports = new Map();
  const left = [...sources];
  // One after the other; as many of these run as there are processors.
  const compileLeft = async () => {
    for (let source = left.shift(); source; source = left.shift()) {
      const found = await compile(nvcc, `native/cuda/${source}`, architectures, folder);
      reports.set(source, found);
      console.error(`${source}: ${found.length} kernels, ${complaints(found).length} with local memory`);
    }
  };
  try {
    await Promise.all(Array.from({ length: availableParallelism() }, compileLeft));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const kernels = sources.flatMap((source) => reports.get(source).map((k) => ({ source, ...k })));
  const bad = complaints(kernels);
  for (const line of bad) console.error(line);
  if (args.includes('--json')) console.log(JSON.stringify(kernels, undefined, 1));
  else
    console.log(
      `check-cuda: ${kernels.length} kernels for ${architectures.join(', ')}; ${bad.length} use local memory`,
    );
  return bad.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
