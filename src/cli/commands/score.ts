import { scoreEmbeddings } from '../../clustering/index.js';
import { readNpy } from '../../data/index.js';
import { EatDmlError } from '../../errors.js';
import type { DeviceName, Matrix } from '../../kernels/index.js';
import type { NpyArray } from '../../npy.js';
import { interruptible } from '../interrupt.js';
import { printResult } from '../options.js';

export interface ScoreFlags {
  json?: boolean;
  /** Embeddings and labels to search in. */
  gallery?: string[];
  k?: number;
  recallAt?: number[];
  restarts?: number;
  seed?: number;
  device?: DeviceName | 'auto';
}

const INTERRUPTED = { what: 'Scoring', kept: 'No scores were kept. Begin again with the same command.' };

/** `eat-dml score E.npy L.npy`: clustering and retrieval of anybody's embeddings. */
export async function scoreCommand(embeddings: string, labels: string, flags: ScoreFlags): Promise<void> {
  const start = performance.now();
  const { json, gallery: files, ...options } = flags;
  if (files && files.length !== 2) {
    throw new EatDmlError('ERR_ARGUMENT', `Expected two files for --gallery but received ${files.length}.`, {
      hint: 'Embeddings and labels: --gallery E2.npy L2.npy',
    });
  }
  const scores = await interruptible(async (signal) => {
    const queries = await readSet(embeddings, labels, signal);
    const gallery = files && (await readSet(files[0], files[1], signal));
    return scoreEmbeddings(queries.embeddings, queries.labels, { ...options, gallery, signal });
  }, INTERRUPTED);
  const seconds = (performance.now() - start) / 1000;
  printResult(json, { command: 'score', embeddings, labels, gallery: files, ...scores, seconds }, textOf(scores));
}

async function readSet(embeddings: string, labels: string, signal: AbortSignal) {
  const matrix = matrixOf(await readNpy(embeddings, { signal }), embeddings);
  return { embeddings: matrix, labels: labelsOf(await readNpy(labels, { signal }), labels, matrix.rows) };
}

function matrixOf({ shape, data }: NpyArray, path: string): Matrix {
  const [rows, cols] = shape;
  if (shape.length !== 2 || rows === 0 || cols === 0) throw wrongShape('embeddings [rows, columns]', path, shape);
  return { data: data instanceof Float32Array ? data : Float32Array.from(data), rows, cols };
}

function labelsOf({ shape, data, integer }: NpyArray, path: string, rows: number): ArrayLike<number> {
  // A column of labels is as good as a list.
  if (shape[0] !== rows || data.length !== rows) throw wrongShape(`${rows} labels, one for each row,`, path, shape);
  const odd = integer ? -1 : data.findIndex((value) => !Number.isSafeInteger(value));
  if (odd < 0) return data;
  throw new EatDmlError('ERR_DATA', `Expected integers as labels in ${path} but received ${data[odd]} in row ${odd}.`);
}

function wrongShape(expected: string, path: string, shape: readonly number[]): EatDmlError {
  return new EatDmlError('ERR_DATA', `Expected ${expected} in ${path} but received shape (${shape.join(', ')}).`);
}

function textOf({ clustering, retrieval }: Awaited<ReturnType<typeof scoreEmbeddings>>): string {
  const { k, restarts, nmi, ami, ari, pairwiseF1, purity } = clustering;
  const line = (pairs: [string, number][]) => pairs.map(([name, value]) => `${name} ${value.toFixed(4)}`).join('   ');
  const starts = `${restarts} ${restarts === 1 ? 'start' : 'starts'}`;
  const clusters = line(Object.entries({ NMI: nmi, AMI: ami, ARI: ari, F1: pairwiseF1, purity }));
  const found = retrieval
    ? line([
        ...Object.entries(retrieval.recallAt).map(([k, value]): [string, number] => [`Recall@${k}`, value]),
        ['MAP@R', retrieval.mapAtR],
        ['R-precision', retrieval.rPrecision],
      ])
    : 'not defined: no query has another of its class to be found';
  return `clustering (${k} clusters, k-means, ${starts})\n  ${clusters}\nretrieval\n  ${found}`;
}
