/**
 * A program by one rank and by two, each with one thread, by turns, through the mpirun that is found. On a busy machine ranks that wait for one
 * another take longer than they compute: there the time of a processor says more.
 */
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.floor(half)] + sorted[Math.ceil(half) - 1]) / 2;
}

/** What rank 0 tells of a turn: milliseconds by the clock, and of a processor. */
export function tell(clock: number, processor: number): void {
  process.stdout.write(`took ${clock} ${processor}\n`);
}

/** Milliseconds by the clock, and of a processor, that `script rank NAME` tells. */
async function turn(script: string, name: string, ranks: number): Promise<[number, number]> {
  const node = [process.execPath, '--import', 'tsx', script, 'rank', name];
  const openMpi = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
  const env = { ...process.env, ...openMpi, OMPI_MCA_hwloc_base_binding_policy: 'none', EAT_DML_THREADS: '1' };
  const child = spawn('mpirun', ['-n', String(ranks), ...node], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  const [, clock, processor] = /^took (\S+) (\S+)$/m.exec(said) ?? [];
  if (code !== 0 || !clock) throw new Error(`mpirun -n ${ranks} ended with ${code}:\n${said}`);
  return [Number(clock), Number(processor)];
}

/** Prints each turn, and at the end the medians and their quotients (2 is ideal). */
export async function compare(script: string, name: string, rounds: number): Promise<void> {
  const took: [number, number][][] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const [i, ranks] of [1, 2].entries()) took[i].push(await turn(script, name, ranks));
    const [one, two] = took.map((all) =>
      all
        .at(-1)!
        .map((ms) => ms.toFixed(0))
        .join(' '),
    );
    console.log(`${name}  round ${round + 1}: ${one} ms by one rank, ${two} by two; load ${loadavg()[0].toFixed(1)}`);
  }
  for (const [i, what] of ['by the clock', 'of a processor'].entries()) {
    const [one, two] = took.map((all) => median(all.map((of) => of[i])));
    const ratio = (one / two).toFixed(2);
    console.log(`${name}  medians ${what}: ${one.toFixed(0)} ms, ${two.toFixed(0)} ms, quotient ${ratio}`);
  }
}
