/**
 * k-means of 1,000,000 x 128, k = 1,000, ten iterations from random rows, by one rank and by two, each with one thread, by turns:
 * `npx tsx bench/distributed/kmeans.ts [blobs|noise] [rounds]`. It takes `npm run build:mpi` (or EAT_DML_MPI_PATH) and that MPI's mpirun.
 * `blobs`: rows around 1,000 centers that lie close together; `noise`: rows around none. In both, bounds leave few rows alone in ten iterations. Prints each turn's time and that of a processor, and at the end the medians and their quotients (2 is ideal).
 */
import { fileURLToPath } from 'node:url';
import { distributedKmeans, initDistributed, shardOf } from '../../src/distributed/index.js';
import { compare, tell } from './turns.js';

const [ROWS, COLS, K] = [1_000_000, 128, 1000];

/** A value in [-0.5, 0.5) that the number alone gives. */
function noise(number: number): number {
  let x = Math.imul(number ^ (number >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32 - 0.5;
}

async function rank(name: string): Promise<void> {
  const group = await initDistributed();
  const { begin, end } = shardOf(ROWS, group);
  const spread = name === 'blobs' ? 0.6 : 0;
  const data = new Float32Array((end - begin) * COLS);
  for (let i = 0; i < data.length; i++) {
    const [row, column] = [begin + Math.floor(i / COLS), i % COLS];
    data[i] = noise(row * COLS + column) + spread * noise(0x40000000 + (row % K) * COLS + column);
  }
  await group.barrier();
  const [start, before] = [performance.now(), process.cpuUsage()];
  const points = { data, rows: end - begin, cols: COLS };
  await distributedKmeans(group, points, { k: K, init: 'random', maxIterations: 10, seed: 1 });
  const { user, system } = process.cpuUsage(before);
  if (group.rank === 0) tell(performance.now() - start, (user + system) / 1000);
  await group.finalize();
}

const [mode = 'blobs', name = '3'] = process.argv.slice(2);
if (mode === 'rank') await rank(name);
else await compare(fileURLToPath(import.meta.url), mode, Number(name));
