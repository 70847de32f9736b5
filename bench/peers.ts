/**
 * The kernels beside faiss, scikit-learn and torch on the same arrays, both programs taking turns:
 *   npx tsx bench/peers.ts --python PYTHON [--threads 1,2] [--rounds 3] [--repeat 3] [--arrays .cache/peers]
 * bench/peers.md says how to get the peers, and what was measured.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '3' },
    repeat: { type: 'string', default: '3' },
    arrays: { type: 'string', default: '.cache/peers' },
  },
});

interface Line {
  case: string;
  implementation: string;
  seconds: number;
}

/** Floating-point operations or bytes of a case, to give a rate. */
const WORK: Record<string, { amount: number; limit: string }> = {
  'pairwiseDistance 128': { amount: 2 * 8192 ** 2 * 128, limit: 'GFLOP/s' },
  'pairwiseDistance 512': { amount: 2 * 8192 ** 2 * 512, limit: 'GFLOP/s' },
  'nearestCentroid 128': { amount: 2 * 60000 * 256 * 128, limit: 'GFLOP/s' },
  'nearestCentroid 512': { amount: 2 * 20000 * 1000 * 512, limit: 'GFLOP/s' },
  'attackStep linf': { amount: 16 * 64 * 224 * 224 * 3, limit: 'GB/s' },
};

function run(command: string, args: string[], threads: string): Line[] {
  const { OPENBLAS_CORETYPE: _type, OPENBLAS_L2_SIZE: _size, ...env } = process.env;
  const text = execFileSync(command, args, {
    env: { ...env, EAT_DML_THREADS: threads },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}

const median = (v: number[]) => v.toSorted((a, b) => a - b)[v.length >> 1];

for (const threads of values.threads.split(',')) {
  const seen = new Map<string, Map<string, number[]>>();
  for (let round = 0; round < Number(values.rounds); round++) {
    const lines = [
      ...run(
        values.python,
        ['bench/peers/kernels.py', values.arrays, '--threads', threads, '--repeat', values.repeat],
        threads,
      ),
      ...run(process.execPath, ['--import', 'tsx', 'bench/peers/kernels.ts', values.arrays, values.repeat], threads),
    ];
    for (const { case: name, implementation, seconds } of lines) {
      const row = seen.get(name) ?? seen.set(name, new Map()).get(name)!;
      row.set(implementation, [...(row.get(implementation) ?? []), seconds]);
    }
  }
  const limit = (unit: string) => median(seen.get(`limit, ${unit}`)?.get('eat-dml') ?? [Number.NaN]);
  console.log(
    `\n${threads} thread(s): ${limit('GFLOP/s').toFixed(0)} GFLOP/s FMA, ${limit('GB/s').toFixed(1)} GB/s triad`,
  );
  for (const [name, row] of seen) {
    if (name.startsWith('limit')) continue;
    const own = median(row.get('eat-dml')!);
    const peers = [...row].filter(([implementation]) => implementation !== 'eat-dml');
    const work = WORK[name];
    const rate = work
      ? ` ${(work.amount / own / 1e9).toFixed(1)} ${work.limit} = ${((100 * work.amount) / own / 1e9 / limit(work.limit)).toFixed(0)}%`
      : '';
    const ratios = peers.map(
      ([peer, s]) => `${peer} ${(median(s) * 1e3).toFixed(1)} ms (${(median(s) / own).toFixed(2)}x)`,
    );
    console.log(`${name.padEnd(22)}${(own * 1e3).toFixed(1).padStart(8)} ms${rate.padEnd(24)} | ${ratios.join(' | ')}`);
  }
}
