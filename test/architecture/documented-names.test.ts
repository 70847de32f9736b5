import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

/** Written for those who change this package: what they name need not be exported, only be there. */
const FOR_CONTRIBUTORS = ['docs/architecture.md', 'docs/adding-a-kernel.md', 'CONTRIBUTING.md'];

/** Options, fields and methods that users' documents name as such. */
const KEYS = [
  'allGather',
  'allGatherNow',
  'allReduce',
  'allReduceNow',
  'attackedMapAtR',
  'attackedNmi',
  'attackedRecallAt1',
  'barrier',
  'batch',
  'batchNorm',
  'broadcast',
  'classNames',
  'clusterRestarts',
  'dispose',
  'faultCount',
  'finalize',
  'frozenBatchNorm',
  'inputShape',
  'hash',
  'head',
  'leftOut',
  'perClass',
  'mapAtR',
  'memberGroups',
  'microBatch',
  'onEpoch',
  'onGathered',
  'onHash',
  'onIteration',
  'onPlan',
  'onPlanStep',
  'onProgress',
  'perSample',
  'randomResizedCrop',
  'recallAt',
  'recallAt1',
  'skipBroken',
  'split',
  'startAllReduce',
  'splitFile',
  'trainClasses',
  'warmUpImagesPerSecond',
  'weightShapes',
  'stepCounts',
  'stepCurve',
];

const documents = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...markdownIn('docs')];
/** Names of options alone: test/config/parts.test.ts holds it to the lists. */
const WRITTEN = 'docs/parts.md';

const forUsers = documents.filter((file) => !FOR_CONTRIBUTORS.includes(file) && file !== WRITTEN);

function markdownIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('reference'))
    .map((name) => join(folder, name));
}

/** Names in code spans that can only be code: calls, and words with a capital inside. */
function namesIn(text: string): string[] {
  const spans = [...text.replace(/^```.*?^```/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, span]) => span);
  const names = spans.map((span) => /^([A-Za-z_]\w*)\(/.exec(span)?.[1] ?? /^[a-z]+\d*[A-Z]\w*$/.exec(span)?.[0]);
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** What the text imports from this package, by entry: `.` or `./kernels`. */
function importsIn(text: string): { entry: string; name: string }[] {
  const statements = [...text.matchAll(/import\s*\{([^}]*)\}\s*from\s*['"]eat-dml(\/\w+)?['"]/g)];
  return statements.flatMap(([, names, entry = '']) =>
    names
      .split(',')
      .map((name) => name.replace(/\bas\b.*/, '').trim())
      .filter((name) => name && !name.startsWith('type '))
      .map((name) => ({ entry: `.${entry}`, name })),
  );
}

async function exported(entry: string): Promise<string[]> {
  const file = entry === '.' ? '../../src/index.js' : `../../src${entry.slice(1)}/index.js`;
  return Object.keys(await import(file));
}

describe('names in the documents', () => {
  test.each([...documents, 'examples/eat.mjs', 'examples/kernels.mjs'])('%s imports what is exported', async (file) => {
    for (const { entry, name } of importsIn(readFileSync(file, 'utf8'))) expect(await exported(entry)).toContain(name);
  });

  test.each(forUsers)('%s names what is exported', async (file) => {
    const known = [...(await exported('.')), ...KEYS];
    expect(namesIn(readFileSync(file, 'utf8')).filter((name) => !known.includes(name))).toEqual([]);
  });

  test.each(FOR_CONTRIBUTORS)('%s names what is there', (file) => {
    const sources = ['src', 'native', 'scripts'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.(ts|mjs|cc|cu|h|inl)$/.test(entry.name))
        .filter((entry) => !entry.parentPath.startsWith('native/build'))
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')),
    );
    const isThere = (name: string) => sources.some((source) => new RegExp(`\\b${name}\\b`).test(source));
    expect(namesIn(readFileSync(file, 'utf8')).filter((name) => !isThere(name))).toEqual([]);
  });

  test('the list of keys has none that no document names', () => {
    const named = forUsers.flatMap((file) => namesIn(readFileSync(file, 'utf8')));
    expect(KEYS.filter((key) => !named.includes(key))).toEqual([]);
  });

  test('are seen in calls and in words with a capital inside', () => {
    expect(namesIn('`aB`, `c(d)`, `plain`, `ERR_X`, `a.bC`, `gatherND` and `coverage()`\n```\n`no()`\n```\n')).toEqual([
      'aB',
      'c',
      'gatherND',
      'coverage',
    ]);
    expect(importsIn(`import { a, type B, c as d } from 'eat-dml';\nimport { e } from 'eat-dml/kernels';`)).toEqual([
      { entry: '.', name: 'a' },
      { entry: '.', name: 'c' },
      { entry: './kernels', name: 'e' },
    ]);
  });
});
