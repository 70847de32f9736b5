/**
 * A step of training by one rank and by two, each with one thread, of the same global batch, by turns:
 * `npx tsx bench/distributed/training.ts [photographs|rows|half|rows-batch-norm|members|all] [rounds]`. It takes `npm run build:mpi` (or
 * EAT_DML_MPI_PATH) and that MPI's mpirun. `photographs`: ResNet-18 on 224 x 224 pixels, batches of 32 shared by rows, batch normalisation frozen;
 * `rows`: on 64 x 64 pixels, batches of 128, where weights are most of what moves; `half`: the same with 64 images; `rows-batch-norm`: with
 * its statistics gathered; `members`: EAT of two such networks, each updated by one rank. Prints each turn's median step and its mean time of
 * a processor in a rank, and at the end the medians and their quotients (2 is ideal). On a busy machine ranks that wait for one another
 * take longer than they compute: there the time of a processor says more.
 */
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { initDistributed } from '../../src/distributed/index.js';
import { resnet18 } from '../../src/models/index.js';
import { randomStream } from '../../src/random.js';
import { eat, standard, type TrainOptions, train } from '../../src/training/index.js';

const [CLASSES, STEPS] = [8, 2];

const network = (frozenBatchNorm: boolean) => resnet18({ dimension: 64, frozenBatchNorm, preprocessing: 'none' });

interface Case {
  /** Images of a batch, and their side. */
  count?: number;
  side?: number;
  options: Pick<TrainOptions, 'model' | 'method'>;
  memberGroups?: number;
}

const CASES: Record<string, Case> = {
  photographs: { count: 32, side: 224, options: { model: network(true), method: standard() } },
  rows: { options: { model: network(true), method: standard() } },
  half: { count: 64, options: { model: network(true), method: standard() } },
  'rows-batch-norm': { options: { model: network(false), method: standard() } },
  members: {
    options: { model: network(true), method: eat({ members: 2, attack: { epsilon: 0.05, steps: 5 } }) },
    memberGroups: 2,
  },
};

/** What a rank does: an epoch. Rank 0 tells the median milliseconds of its steps after the first. */
async function rank(name: string): Promise<void> {
  const group = await initDistributed();
  const { count = 128, side = 64, options, memberGroups } = CASES[name];
  const random = randomStream(1, 'pixels');
  const images = Uint8Array.from({ length: (STEPS + 1) * count * side * side * 3 }, () => random.integer(256));
  const labels = Int32Array.from({ length: images.length / (side * side * 3) }, (_, i) => i % CLASSES);
  const at: number[] = [];
  const processor: number[] = [];
  const ensemble = await train({
    ...{ data: { images, labels, shape: [side, side, 3], name: 'noise', length: labels.length }, ...options },
    ...{ epochs: 1, batch: { size: count }, backend: 'native' },
    ...(group.size > 1 && { distributed: { group, memberGroups } }),
    onProgress: () => {
      at.push(performance.now());
      const { user, system } = process.cpuUsage();
      processor.push((user + system) / 1000);
    },
  });
  ensemble.dispose();
  const mean = (processor.at(-1)! - processor[0]) / (processor.length - 1);
  if (group.rank === 0) process.stdout.write(`step ${median(at.slice(1).map((time, i) => time - at[i]))} ${mean}\n`);
  await group.finalize();
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.floor(half)] + sorted[Math.ceil(half) - 1]) / 2;
}

/** Milliseconds of a step by the clock, and of a processor. */
async function turn(name: string, ranks: number): Promise<[number, number]> {
  const node = [process.execPath, '--import', 'tsx', fileURLToPath(import.meta.url), 'rank', name];
  const openMpi = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
  const env = { ...process.env, ...openMpi, OMPI_MCA_hwloc_base_binding_policy: 'none', EAT_DML_THREADS: '1' };
  const child = spawn('mpirun', ['-n', String(ranks), ...node], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  const [, step, processor] = /^step (\S+) (\S+)$/m.exec(said) ?? [];
  if (code !== 0 || !step) throw new Error(`mpirun -n ${ranks} ended with ${code}:\n${said}`);
  return [Number(step), Number(processor)];
}

async function main(which = 'all', rounds = '3'): Promise<void> {
  for (const name of which === 'all' ? Object.keys(CASES) : [which]) {
    const took: [number, number][][] = [[], []];
    for (let round = 0; round < Number(rounds); round++) {
      for (const [i, ranks] of [1, 2].entries()) took[i].push(await turn(name, ranks));
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
}

const [mode, name] = process.argv.slice(2);
if (mode === 'rank') await rank(name);
else await main(mode, name);
