/** PyTorch's training_step.py as processes beside this one: they answer when asked, and are left to rest before others run. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
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
  python.on('error', (error) => (errors += error.message));
  const lines = createInterface({ input: python.stdout! })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    return done ? undefined : (JSON.parse(value) as unknown);
  };
  const first = await answer();
  if (first === undefined) {
    console.log(`PyTorch, ${layout}: not run (${errors.trim().split('\n').at(-1)})`);
    return undefined;
  }
  const run = async (step: string, count: number) => {
    python.stdin!.write(`${JSON.stringify({ step, count })}\n`);
    const read = (await answer()) as number[] | undefined;
    if (!read) throw new Error(`PyTorch ended: ${errors}`);
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    return read;
  };
  return { ...(first as Pick<TorchSteps, 'version' | 'losses'>), run, stop: () => python.kill() };
}
