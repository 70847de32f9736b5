/** PyTorch's training_step.py as processes beside this one: they answer when asked, and are left to rest before others run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Idle OpenMP threads of PyTorch spin for 0.2 s and would halve what runs next. */
const REST_MS = 500;

export const LAYOUTS = ['default', 'channels_last'] as const;

export interface TorchSteps {
  version: string;
  /** The first loss and that after the counted training steps. */
  losses: [number, number];
  /** Milliseconds of `count` steps in a row. */
  run(step: string, count: number): Promise<number[]>;
  stop(): void;
}

/** PyTorch with the network's weights, once it has made its counted steps; undefined with the reason written where it cannot run. */
export async function torchSteps(
  net: string,
  files: { weights: string; inputs: string },
  threads: number,
  layout: (typeof LAYOUTS)[number],
): Promise<TorchSteps | undefined> {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'training_step.py');
  const python = spawn('python3', [script, net, files.weights, files.inputs, String(threads), layout], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  python.stderr!.on('data', (text) => (errors += text));
  const lines = createInterface({ input: python.stdout! });
  const first = await answer(python, lines);
  if (first === undefined) {
    console.log(`PyTorch, ${layout}: not run (${errors.trim().split('\n').at(-1)})`);
    return undefined;
  }
  const run = async (step: string, count: number) => {
    const times = answer(python, lines);
    python.stdin!.write(`${JSON.stringify({ step, count })}\n`);
    const read = (await times) as number[] | undefined;
    if (!read) throw new Error(`PyTorch ended: ${errors}`);
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    return read;
  };
  return { ...(first as Pick<TorchSteps, 'version' | 'losses'>), run, stop: () => python.kill() };
}

/** The next line, parsed; undefined where the process ends without one. */
async function answer(python: ChildProcess, lines: Interface): Promise<unknown> {
  const ended = Promise.race([once(python, 'error'), once(python, 'close')]).then(() => undefined);
  const line = await Promise.race([once(lines, 'line').then(([text]) => text as string), ended]);
  return line === undefined ? undefined : JSON.parse(line);
}
