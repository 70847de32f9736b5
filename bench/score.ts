/**
 * `eat-dml score` beside scikit-learn's KMeans and a search in numpy, on the same embeddings, each in a process of its own, by turns:
 *   npx tsx bench/score.ts --python PYTHON [--rows 60000] [--columns 512] [--classes 11316] [--rounds 1] [--folder .cache/score]
 * Needs `npm run build` and, of Python, numpy and scikit-learn. The peer's defaults but one start, as eat-dml has of so many clusters.
 * All takes minutes; `--rows 6000 --classes 1132` shows the same in seconds. Ends with 1 where the NMI of the peer's own assignment,
 * or Recall@K, are not the peer's.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { clusteringScores } from '../src/clustering/index.js';
import { readNpy, writeNpy } from '../src/data/index.js';
import { randomStream } from '../src/random.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    rows: { type: 'string', default: '60000' },
    columns: { type: 'string', default: '512' },
    classes: { type: 'string', default: '11316' },
    rounds: { type: 'string', default: '1' },
    folder: { type: 'string', default: '.cache/score' },
  },
});
const [rows, columns, classes, rounds] = [values.rows, values.columns, values.classes, values.rounds].map(Number);
const RECALL_AT = '1,2,4,8';
const file = (kind: string) => join(values.folder, `${rows}x${columns}-${classes}.${kind}.npy`);
const [embeddings, labels, assignment] = ['embeddings', 'labels', 'assignment'].map(file);

interface Outcome {
  nmi: number;
  recallAt: Record<string, number>;
  seconds: number;
  cpuSeconds: number;
  kmeansSeconds?: number;
  recallSeconds?: number;
  iterations?: number;
  /** Of the k-means. */
  inertia: number;
}

/** Unit rows around the centre of their class, so far apart that most find their class. */
async function makeEmbeddings(): Promise<void> {
  if (existsSync(labels)) return;
  mkdirSync(values.folder, { recursive: true });
  const classOf = Int32Array.from({ length: rows }, (_, i) => Math.floor((i * classes) / rows));
  const data = new Float32Array(rows * columns);
  const row = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    const [centre, own] = [randomStream(1, 'centre', classOf[i]), randomStream(1, 'row', i)];
    let square = 0;
    for (let d = 0; d < columns; d++) {
      row[d] = centre.uniform() - 0.5 + 2.4 * (own.uniform() - 0.5);
      square += row[d] ** 2;
    }
    for (let d = 0; d < columns; d++) data[i * columns + d] = row[d] / Math.sqrt(square);
  }
  await writeNpy(embeddings, { shape: [rows, columns], data });
  await writeNpy(labels, { shape: [rows], data: classOf });
}

/** What a program prints as JSON; seconds, and those of the processors, are of its whole process. */
function run(command: string, args: readonly string[]) {
  const start = performance.now();
  const timed = ['-c', 'TIMEFORMAT="cpu %U %S"; time "$@"', 'time', command, ...args];
  const { stdout, stderr, status } = spawnSync('bash', timed, { encoding: 'utf8', maxBuffer: 1 << 26 });
  const [, user, system] = /^cpu (.*) (.*)$/m.exec(stderr) ?? [];
  if (status !== 0 || system === undefined) throw new Error(stderr);
  return {
    output: JSON.parse(stdout),
    seconds: (performance.now() - start) / 1000,
    cpuSeconds: Number(user) + Number(system),
  };
}

function own(): Outcome {
  const flags = ['--k', `${classes}`, '--recall-at', RECALL_AT, '--json'];
  const { output, ...times } = run(process.execPath, ['dist/cli/main.js', 'score', embeddings, labels, ...flags]);
  const { clustering, retrieval } = output;
  return { ...times, nmi: clustering.nmi, inertia: clustering.inertia, recallAt: retrieval.recallAt };
}

function peer(python: string): Outcome {
  const flags = ['--k', `${classes}`, '--recall-at', RECALL_AT, '--assignment', assignment];
  const { output, ...times } = run(python, ['bench/peers/score.py', embeddings, labels, ...flags]);
  return { ...output, ...times };
}

const textOf = (name: string, outcome: Outcome) => {
  const { nmi, inertia, recallAt, seconds, cpuSeconds, kmeansSeconds, recallSeconds, iterations } = outcome;
  const parts =
    kmeansSeconds === undefined
      ? ''
      : ` (k-means ${kmeansSeconds.toFixed(1)}, ${iterations} steps; search ${recallSeconds?.toFixed(1)})`;
  const found = Object.entries(recallAt).map(([k, value]) => `@${k} ${value.toFixed(4)}`);
  return `${name.padEnd(14)} ${seconds.toFixed(1)} s, of processors ${cpuSeconds.toFixed(1)}${parts}  NMI ${nmi.toFixed(4)}, inertia ${inertia.toFixed(1)}  Recall ${found.join(' ')}`;
};

await makeEmbeddings();
console.log(`${rows} x ${columns}, ${classes} classes and clusters`);
for (let round = 0; round < rounds; round++) {
  const mine = own();
  console.log(textOf('eat-dml score', mine));
  if (!values.python) continue;
  const theirs = peer(values.python);
  console.log(textOf('scikit-learn', theirs));
  const [wall, cpu] = [theirs.seconds / mine.seconds, theirs.cpuSeconds / mine.cpuSeconds];
  console.log(`${wall.toFixed(2)} times as long, ${cpu.toFixed(2)} times the processors' time`);
  const [truth, found] = [await readNpy(labels), await readNpy(assignment)];
  const { nmi } = clusteringScores(Int32Array.from(truth.data), Int32Array.from(found.data));
  const same = Object.entries(theirs.recallAt).every(([k, value]) => mine.recallAt[k] === value);
  console.log(
    `of the peer's assignment: NMI ${nmi} here, ${theirs.nmi} there; Recall@K ${same ? 'the same' : 'NOT the same'}`,
  );
  if (!same || Math.abs(nmi - theirs.nmi) > 1e-12) process.exitCode = 1;
}
