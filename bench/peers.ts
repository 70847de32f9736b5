/**
 * The kernels beside faiss, scikit-learn and torch on the same arrays, both programs taking turns:
 *   npx tsx bench/peers.ts --python PYTHON [--threads 1,2] [--rounds 3] [--repeat 3] [--arrays .cache/peers]
 * bench/peers.md says how to get the peers, and what was measured.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import type { MachineLimits } from '../src/kernels/machine-limits.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '3' },
    repeat: { type: 'string', default: '3' },
    arrays: { type: 'string', default: '.cache/peers' },
  },
});

/** One timed case, or what the machine can do. */
interface Line {
  case: string;
  implementation: string;
  seconds: number;
  limits?: MachineLimits;
}

/** Floating-point operations or bytes of a case, to give a rate. */
const WORK: Record<string, { amount: number; unit: 'GFLOP/s' | 'GB/s' }> = {
  'pairwiseDistance 128': { amount: 2 * 8192 ** 2 * 128, unit: 'GFLOP/s' },
  'pairwiseDistance 512': { amount: 2 * 8192 ** 2 * 512, unit: 'GFLOP/s' },
  'nearestCentroid 128': { amount: 2 * 60000 * 256 * 128, unit: 'GFLOP/s' },
  'nearestCentroid 512': { amount: 2 * 20000 * 1000 * 512, unit: 'GFLOP/s' },
  'attackStep linf': { amount: 16 * 64 * 224 * 224 * 3, unit: 'GB/s' },
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
  const limits: MachineLimits[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const lines = [
      ...run(
        values.python,
        ['bench/peers/kernels.py', values.arrays, '--threads', threads, '--repeat', values.repeat],
        threads,
      ),
      ...run(process.execPath, ['--import', 'tsx', 'bench/peers/kernels.ts', values.arrays, values.repeat], threads),
    ];
    for (const { case: name, implementation, seconds, limits: measured } of lines) {
      if (measured) limits.push(measured);
      if (!name) continue;
      const row = seen.get(name) ?? seen.set(name, new Map()).get(name)!;
      row.set(implementation, [...(row.get(implementation) ?? []), seconds]);
    }
  }
  const limit = {
    'GFLOP/s': median(limits.map(({ fmaGflops }) => fmaGflops)),
    'GB/s': median(limits.map(({ triadGbytes }) => triadGbytes)),
  };
  console.log(
    `\n${threads} thread(s): ${limit['GFLOP/s'].toFixed(0)} GFLOP/s FMA, ${limit['GB/s'].toFixed(1)} GB/s triad`,
  );
  for (const [name, row] of seen) print(name, row, limit);
}

/** Forms of a call, those of the same kind beside each other: peers' fresh results beside ours, reused memory beside reused. */
function print(name: string, row: Map<string, number[]>, limit: Record<'GFLOP/s' | 'GB/s', number>): void {
  const ours = [...row].filter(([form]) => /^(sync|Promise|pruned)/.test(form));
  const peers = [...row].filter(([form]) => !ours.some(([own]) => own === form));
  const work = WORK[name];
  console.log(name);
  for (const [form, seconds] of ours) {
    const own = median(seconds);
    const rate = work && work.amount / own / 1e9;
    const share = work ? `${rate!.toFixed(1)} ${work.unit} = ${((100 * rate!) / limit[work.unit]).toFixed(0)}%` : '';
    const alike = peers.filter(([peer]) => peer.endsWith('into out') === form.endsWith('into out'));
    const ratios = alike.map(
      ([peer, s]) => `${peer} ${(median(s) * 1e3).toFixed(1)} ms (${(median(s) / own).toFixed(2)}x)`,
    );
    console.log(
      `  ${form.padEnd(20)}${(own * 1e3).toFixed(1).padStart(8)} ms  ${share.padEnd(24)}| ${ratios.join(' | ')}`,
    );
  }
}
