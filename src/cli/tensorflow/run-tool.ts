import { spawn } from 'node:child_process';
import { EatDmlError } from '../../errors.js';

export interface ToolOptions {
  cwd: string;
  env?: Record<string, string | undefined>;
  /** Gets the tool's output as it comes. */
  write?: (chunk: Uint8Array) => void;
}

/** Runs a tool to its end and returns its stdout; ERR_BUILD with the end of its output where it fails or is not there. */
export function runTool(command: string, args: string[], options: ToolOptions): Promise<string> {
  const { cwd, env = {}, write = () => {} } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, all] = ['', ''];
    const take = (chunk: Uint8Array) => {
      all = (all + chunk).slice(-4000);
      write(chunk);
    };
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      take(chunk);
    });
    child.stderr.on('data', take);
    const shown = [command, ...args].map((word) => (word.includes('\n') ? '…' : word)).join(' ');
    const fail = (why: string) => reject(new EatDmlError('ERR_BUILD', `\`${shown}\` ${why}`));
    child.on('error', (error: NodeJS.ErrnoException) =>
      fail(error.code === 'ENOENT' ? 'could not be started: it is not on PATH.' : error.message),
    );
    child.on('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else fail(`ended with ${signal ?? code}: ${lastLines(all)}`);
    });
  });
}

/** What a reader of an error wants of a long output. */
function lastLines(output: string): string {
  return output.trim().split('\n').slice(-5).join('\n');
}
