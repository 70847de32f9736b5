import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportsOf } from './exports.js';

test.each(['src/index.ts', 'src/kernels/index.ts'])('every export of %s has a doc comment', (entry) => {
  const exported = exportsOf(entry);
  expect(exported.size).toBeGreaterThan(30);
  const bare = [...exported].filter(([, { doc }]) => doc === undefined).map(([name, { file }]) => `${file}: ${name}`);
  expect(bare).toEqual([]);
});

test('what a doc comment links to is exported, or is in the same file', () => {
  const names = new Set(exportsOf('src/index.ts').keys());
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const lost = files.flatMap((name) => {
    const text = readFileSync(join('src', name), 'utf8');
    const links = [...text.matchAll(/\{@link (\w+)/g)].map(([, link]) => link);
    return links
      .filter((link) => !names.has(link) && !new RegExp(`\\b${link}\\b`).test(text.replaceAll(/\{@link \w+/g, '')))
      .map((link) => `src/${name}: ${link}`);
  });
  expect(lost).toEqual([]);
});

/** What most people start from. */
const STARTING_POINTS = [
  ...[
    'train',
    'evaluate',
    'standard',
    'at',
    'eat',
    'eatHeads',
    'openData',
    'imageFiles',
    'datasetFromArrays',
    'inspect',
  ],
  ...['convEmbedder', 'resnet18', 'bnInception', 'fromFunction', 'fromLayersModel', 'Ensemble', 'loadEnsemble'],
  ...['exportWeights', 'kmeans', 'pairwiseDistance', 'nearestNeighbors', 'nearestCentroid', 'projectPerturbation'],
  ...['attackStep', 'uploadMatrix', 'devices', 'scoreEmbeddings', 'clusterEmbeddings', 'retrievalScores', 'pgd'],
  ...['runAttack', 'objective', 'suite', 'proxyAnchor', 'multiSimilarity', 'reportHtml', 'runConfig', 'sweepConfig'],
  ...[
    'readNpy',
    'writeNpy',
    'initDistributed',
    'distributedKmeans',
    'distributedNeighbors',
    'chooseBackend',
    'EatDmlError',
  ],
];

test('what people start from has an example', () => {
  const exported = exportsOf('src/index.ts');
  expect(STARTING_POINTS.filter((name) => !exported.get(name)?.doc?.includes('@example'))).toEqual([]);
});
