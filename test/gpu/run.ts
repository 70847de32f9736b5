import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How a kit ended, and what is in its summary. */
export interface KitRun {
  status: number | null;
  seconds: number;
  summary: string;
  /** The line of a step. */
  line(step: string): string | undefined;
}

/** Runs `folder`/run.sh PLAN with this Node, results in `folder`/out. */
export function runKit(folder: string, plan: string[], env: Record<string, string> = {}): KitRun {
  const out = join(folder, 'out');
  const start = performance.now();
  const { status } = spawnSync('bash', [join(folder, 'run.sh'), ...plan], {
    env: { ...process.env, KIT_NODE: process.execPath, OUT: out, ...env },
    encoding: 'utf8',
  });
  const summary = readFileSync(join(out, 'summary.txt'), 'utf8');
  const line = (step: string) => summary.split('\n').find((text) => text.startsWith(`${step} `));
  return { status, seconds: (performance.now() - start) / 1000, summary, line };
}

/** Neither bash nor signals that end a process from outside are there on Windows. */
export const hasBash = process.platform !== 'win32' && spawnSync('bash', ['-c', 'command -v timeout']).status === 0;
