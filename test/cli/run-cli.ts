import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/cli/program.js';
import { writeIdx } from '../../src/data/index.js';
import { randomStream } from '../../src/random.js';
import { program } from '../program.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** src/cli/main.ts, as Node starts it. */
export const CLI = await program('src/cli/main.ts');

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Where stdout and stderr go instead of coming back: an open file. */
  stdout?: number;
  stderr?: number;
  /** Called with all of stderr whenever there is more of it. */
  onStderr?: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs src/cli/main.ts in a process of its own. */
export function runCli(
  args: string[],
  { env = {}, cwd = root, onStderr, ...files }: CliOptions = {},
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', files.stdout ?? 'pipe', files.stderr ?? 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout?.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
      onStderr?.(stderr, (signal) => child.kill(signal));
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

let last: Promise<unknown> = Promise.resolve();

/**
 * The same in this process, which has tfjs already: for what a command does and prints. Streams, signals, the exit of a process and
 * what is read from the environment when it starts need runCli. One at a time, as they share stdout.
 */
export function callCli(args: string[], env: Record<string, string> = {}): Promise<CliResult> {
  const call = last.then(() => callNow(args, env));
  last = call.catch(() => {});
  return call;
}

async function callNow(args: string[], env: Record<string, string>): Promise<CliResult> {
  const printed = { stdout: '', stderr: '' };
  const names = ['stdout', 'stderr'] as const;
  const before = {
    exitCode: process.exitCode,
    write: names.map((name) => process[name].write),
    env: Object.keys(env).map((name) => [name, process.env[name]] as const),
  };
  for (const name of names) {
    process[name].write = ((text: string | Uint8Array, ...rest: unknown[]) => {
      printed[name] += text;
      const done = rest.find((given) => typeof given === 'function') as ((error?: Error) => void) | undefined;
      if (done) queueMicrotask(done);
      return true;
    }) as typeof process.stdout.write;
  }
  process.exitCode = undefined;
  Object.assign(process.env, env);
  try {
    await run(args);
    return { code: Number(process.exitCode ?? 0), ...printed };
  } finally {
    process.exitCode = before.exitCode;
    for (const [name, value] of before.env) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    names.forEach((name, i) => {
      process[name].write = before.write[i];
    });
  }
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'eat-dml-cli-'));
}

/** Six classes of 12 images, 8 x 8, each a bar of its own under noise, as IDX files. */
export async function writeTinyImages(folder: string): Promise<{ images: string; labels: string }> {
  const [classes, each, side] = [6, 12, 8];
  const { uniform } = randomStream(1, 'tiny images');
  const labels = Uint8Array.from({ length: classes * each }, (_, i) => i % classes);
  const data = new Uint8Array(labels.length * side * side);
  labels.forEach((label, i) => {
    for (let p = 0; p < side * side; p++) data[i * side * side + p] = (p % side === label ? 180 : 0) + 60 * uniform();
  });
  const paths = { images: join(folder, 'images.idx'), labels: join(folder, 'labels.idx.gz') };
  await writeIdx(paths.images, { shape: [labels.length, side, side], data });
  await writeIdx(paths.labels, { shape: [labels.length], data: labels });
  return paths;
}
