import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
