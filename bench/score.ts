/**
 * `eat-dml score` beside scikit-learn's KMeans and a search in numpy, on the same embeddings, each in a process of its own, by turns:
 *   npx tsx bench/score.ts --python PYTHON [--rows 60000] [--columns 512] [--classes 11316] [--rounds 1] [--limit 5]
 *     [--folder .cache/score]
 * Needs `npm run build` and, of Python, numpy and scikit-learn. The peer's defaults but one start, as eat-dml has of so many clusters.
 * All takes minutes; `--rows 6000 --classes 1132` shows the same in seconds. `--limit 5` stops the peer's k-means after 5 times our
 * seconds; its Recall@K, and its NMI of rows by the nearest of K drawn rows, are then computed without it. Ends with 1 where NMI of the
 * same assignment, or Recall@K, are not the peer's.
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
    limit: { type: 'string' },
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

const OUT_OF_TIME = 124;

/** What a program prints as JSON, undefined after `limit` seconds; seconds, and those of the processors, are of its whole process. */
function run(command: string, args: readonly string[], limit = 0) {
  const start = performance.now();
  const timed = ['-c', 'TIMEFORMAT="cpu %U %S"; time timeout "$@"', 'time', `${limit}`, command, ...args];
  const { stdout, stderr, status } = spawnSync('bash', timed, { encoding: 'utf8', maxBuffer: 1 << 26 });
  const [, user, system] = /^cpu (.*) (.*)$/m.exec(stderr) ?? [];
  if ((status !== 0 && status !== OUT_OF_TIME) || system === undefined) throw new Error(stderr);
  return {
    output: status === OUT_OF_TIME ? undefined : JSON.parse(stdout),
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

/** undefined where its k-means was stopped after `limit` seconds (0: it is not). */
function peer(python: string, limit: number, more: readonly string[] = []): Outcome | undefined {
  const flags = ['--k', `${classes}`, '--recall-at', RECALL_AT, '--assignment', assignment, ...more];
  const { output, ...times } = run(python, ['bench/peers/score.py', embeddings, labels, ...flags], limit);
  return output && { ...output, ...times };
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

/** Whether NMI of the assignment that the peer wrote, and Recall@K, are the peer's. */
async function agrees(mine: Outcome, theirs: Pick<Outcome, 'nmi' | 'recallAt'>): Promise<boolean> {
  const [truth, found] = [await readNpy(labels), await readNpy(assignment)];
  const { nmi } = clusteringScores(Int32Array.from(truth.data), Int32Array.from(found.data));
  const same = Object.entries(theirs.recallAt).every(([k, value]) => mine.recallAt[k] === value);
  console.log(
    `of one assignment: NMI ${nmi} here, ${theirs.nmi} there; Recall@K ${same ? 'the same' : 'NOT the same'}`,
  );
  return same && Math.abs(nmi - theirs.nmi) <= 1e-12;
}

await makeEmbeddings();
console.log(`${rows} x ${columns}, ${classes} classes and clusters`);
for (let round = 0; round < rounds; round++) {
  const mine = own();
  console.log(textOf('eat-dml score', mine));
  if (!values.python) continue;
  const limit = Number(values.limit ?? 0) * mine.seconds;
  let theirs = peer(values.python, limit);
  if (theirs) {
    console.log(textOf('scikit-learn', theirs));
    const [wall, cpu] = [theirs.seconds / mine.seconds, theirs.cpuSeconds / mine.cpuSeconds];
    console.log(`${wall.toFixed(2)} times as long, ${cpu.toFixed(2)} times the processors' time`);
  } else {
    console.log(`scikit-learn   not at its end after ${limit.toFixed(0)} s: more than ${values.limit} times as long`);
    theirs = peer(values.python, 0, ['--without-kmeans']) as Outcome;
  }
  if (!(await agrees(mine, theirs))) process.exitCode = 1;
}
