/**
 * A step of training by one rank and by two, each with one thread, of the same global batch, by turns:
 * `npx tsx bench/distributed/training.ts [photographs|rows|half|rows-batch-norm|members|all] [rounds]`. It takes `npm run build:mpi` (or
 * EAT_DML_MPI_PATH) and that MPI's mpirun. `photographs`: ResNet-18 on 224 x 224 pixels, batches of 32 shared by rows, batch normalisation frozen;
 * `rows`: on 64 x 64 pixels, batches of 128, where weights are most of what moves; `half`: the same with 64 images; `rows-batch-norm`: with
 * its statistics gathered; `members`: EAT of two such networks, each updated by one rank. Prints each turn's median step and its mean time of
 * a processor in a rank, and at the end the medians and their quotients (2 is ideal).
 */
import { fileURLToPath } from 'node:url';
import { initDistributed } from '../../src/distributed/index.js';
import { resnet18 } from '../../src/models/index.js';
import { randomStream } from '../../src/random.js';
import { eat, standard, type TrainOptions, train } from '../../src/training/index.js';
import { compare, median, tell } from './turns.js';

const [CLASSES, STEPS] = [8, 5];

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
  if (group.rank === 0) tell(median(at.slice(1).map((time, i) => time - at[i])), mean);
  await group.finalize();
}

const [mode = 'all', name = '3'] = process.argv.slice(2);
if (mode === 'rank') await rank(name);
else {
  const script = fileURLToPath(import.meta.url);
  for (const of of mode === 'all' ? Object.keys(CASES) : [mode]) await compare(script, of, Number(name));
}
