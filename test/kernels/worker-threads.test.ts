import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { pairwiseDistanceSync } from '../../src/kernels/index.js';
import { loadAttempts } from '../../src/kernels/load-addon.js';
import { describeNative, normalMatrix } from './support.js';

/** Loads the addon in a thread of its own and computes the same distances there several times. */
const source = `
  const { parentPort, workerData: { path, a, b, rounds } } = require('node:worker_threads');
  const addon = require(path);
  const out = new Float32Array(a.rows * b.rows);
  for (let i = 0; i < rounds; i++) addon.pairwiseDistance({ a, b, metric: 0, out }, false);
  parentPort.postMessage(out);
`;

describeNative('worker threads', () => {
  test('threads of one process share the pool and get the same bits', async () => {
    const path = loadAttempts().find((attempt) => attempt.found && !attempt.failure)?.path;
    const [a, b] = [normalMatrix(300, 70), normalMatrix(250, 70, { seed: 2 })];
    const expected = pairwiseDistanceSync(a, b).data;
    const inThread = () =>
      new Promise<Float32Array>((resolve, reject) => {
        const worker = new Worker(source, { eval: true, execArgv: [], workerData: { path, a, b, rounds: 20 } });
        worker.once('message', resolve).once('error', reject);
      });
    const results = await Promise.all([inThread(), inThread(), inThread()]);
    for (const result of results) expect(result).toEqual(expected);
  });
});
