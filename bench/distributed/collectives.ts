/**
 * What a collective costs between ranks of this machine: `npx tsx bench/distributed/collectives.ts [ranks]`, for the model in
 * docs/distributed.md. It takes `npm run build:mpi` (or EAT_DML_MPI_PATH) and that MPI's mpirun. Each line is the median of repeated calls
 * of the forms that wait, on rank 0; the last has the latency (of the smallest) and the bandwidth (by the two largest) of each.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { initDistributed } from '../../src/distributed/index.js';

/** Values of float32 that a rank gives: from one to the gradients of ResNet-50. */
const SIZES = [1, 2 ** 10, 2 ** 16, 2 ** 20, 2 ** 23, 25_557_032];

/** Of so many calls after the first, each in a turn of the event loop, as steps of a training are: there results are freed. */
async function medianOf(run: () => unknown, calls: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i <= calls; i++) {
    const start = performance.now();
    run();
    times.push(performance.now() - start);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return times.slice(1).sort((a, b) => a - b)[calls >> 1];
}

async function rank(): Promise<void> {
  const group = await initDistributed();
  const say = (line: string) => group.rank === 0 && process.stdout.write(`${line}\n`);
  const operations: Record<string, (values: Float32Array) => unknown> = {
    allReduce: (values) => group.allReduceNow(values, { order: 'tree' }),
    allGather: (values) => group.allGatherNow(values),
  };
  for (const [name, run] of Object.entries(operations)) {
    const ms: number[] = [];
    for (const size of SIZES) {
      const values = new Float32Array(size).fill(1);
      ms.push(await medianOf(() => run(values), size < 2 ** 20 ? 200 : 12));
      say(`${name}  ${String(size).padStart(9)} values  ${ms.at(-1)!.toFixed(3)} ms`);
    }
    const bytes = 4 * (SIZES.at(-1)! - SIZES.at(-2)!);
    say(`${name}: ${ms[0].toFixed(3)} ms and ${(bytes / (ms.at(-1)! - ms.at(-2)!) / 1e6).toFixed(2)} GB/s`);
  }
  await group.finalize();
}

const [mode = '2'] = process.argv.slice(2);
if (mode === 'rank') await rank();
else {
  const env = {
    ...process.env,
    OMPI_ALLOW_RUN_AS_ROOT: '1',
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
    EAT_DML_THREADS: '1',
  };
  const node = [process.execPath, '--import', 'tsx', fileURLToPath(import.meta.url), 'rank'];
  const child = spawn('mpirun', ['-n', mode, ...node], { env, stdio: 'inherit' });
  child.on('close', (code) => process.exit(code ?? 1));
}
