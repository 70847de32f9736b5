import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scoreCommand } from '../../src/cli/commands/score.js';
import { writeNpy } from '../../src/data/npy.js';
import { runCli, temporaryFolder } from './run-cli.js';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
/** Three classes on a line, and queries beside them. */
const LINE = Float32Array.of(0, 0, 0.1, 0, 5, 0, 5.1, 0, 9, 0, 9.1, 0);
const CLASSES = Int32Array.of(7, 7, -3, -3, 5, 5);

beforeAll(async () => {
  await writeNpy(path('e.npy'), { shape: [6, 2], data: LINE });
  await writeNpy(path('l.npy'), { shape: [6], data: CLASSES });
  await writeNpy(path('column.npy'), { shape: [6, 1], data: Float64Array.from(CLASSES) });
  await writeNpy(path('half.npy'), { shape: [6], data: Float64Array.of(7, 7, -3, -3, 5, 5.5) });
  await writeNpy(path('few.npy'), { shape: [5], data: CLASSES.slice(1) });
  await writeNpy(path('nan.npy'), { shape: [6, 2], data: LINE.with(4, Number.NaN) });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('eat-dml score gives the scores as JSON, with a gallery too', async () => {
  const files = [path('e.npy'), path('column.npy')];
  const gallery = ['--gallery', path('e.npy'), path('l.npy')];
  const [alone, among] = await Promise.all([
    runCli(['score', ...files, '--json', '--recall-at', '1,3']),
    runCli(['score', ...files, ...gallery, '--k', '2', '--json']),
  ]);
  expect([alone.code, alone.stderr]).toEqual([0, '']);
  const scores = JSON.parse(alone.stdout);
  expect(scores.clustering).toMatchObject({ k: 3, restarts: 5, nmi: 1, pairwiseF1: 1 });
  expect(scores.retrieval).toMatchObject({ recallAt: { 1: 1, 3: 1 }, mapAtR: 1, rPrecision: 1, queries: 6 });
  expect(JSON.parse(among.stdout)).toMatchObject({ clustering: { k: 2 }, retrieval: { recallAt: { 1: 1, 8: 1 } } });
});

test.each([
  ['a fractional label', 'half.npy', 'e.npy', {}, /integers as labels in .*half\.npy but received 5\.5 in row 5/],
  ['too few labels', 'few.npy', 'e.npy', {}, /6 labels, one for each row, in .*few\.npy/],
  ['labels as embeddings', 'l.npy', 'l.npy', {}, /embeddings \[rows, columns\] in .*l\.npy/],
  ['NaN', 'l.npy', 'nan.npy', {}, /finite values in embeddings .* row 2/],
  ['half a gallery', 'l.npy', 'e.npy', { gallery: ['e.npy'] }, /two files for --gallery but received 1/],
  ['no file', 'none.npy', 'e.npy', {}, /readable \.npy file but received none at .*none\.npy/],
])('%s is one sentence', async (_, labels, embeddings, flags, message) => {
  await expect(scoreCommand(path(embeddings), path(labels), flags)).rejects.toMatchObject({
    name: 'EatDmlError',
    message: expect.stringMatching(message),
  });
});
