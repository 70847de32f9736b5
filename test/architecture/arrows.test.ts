import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { expect, test } from 'vitest';
import { DEEP } from './deep-imports.js';

/** Who may import whom: docs/architecture.md. Everyone may import the leaves, which import nothing of ours. */
const ARROWS: Record<string, string[]> = {
  kernels: [],
  clustering: ['kernels'],
  distributed: ['kernels'],
  tfjs: ['kernels'],
  data: ['kernels', 'tfjs'],
  models: ['tfjs', 'type:kernels'],
  losses: ['tfjs'],
  attacks: ['kernels', 'tfjs', 'type:models', 'type:losses'],
  checkpoints: ['models'],
  // clustering: a validation scores embeddings of held-out classes; evaluation, which has suites and protocols, is not needed for it.
  training: [
    ...['attacks', 'losses', 'models', 'data', 'checkpoints', 'clustering', 'distributed', 'tfjs', 'type:kernels'],
  ],
  evaluation: ['attacks', 'clustering', 'models', 'data', 'kernels', 'tfjs'],
  config: [
    'attacks',
    'checkpoints',
    'clustering',
    'data',
    'evaluation',
    'kernels',
    'losses',
    'models',
    'tfjs',
    'training',
  ],
  report: ['type:evaluation'],
  cli: ['*'],
  index: ['*'],
};
const LEAVES = [
  'amount',
  'errors',
  'joined',
  'cache-folder',
  'environment',
  'files',
  'random',
  'labels',
  'class-names',
  'checks',
  'options',
  'part',
  'long-work',
  'write-atomically',
  'npy',
  'npz',
  'radius-text',
  'sharing',
  'difference',
  'tf.d.cts',
  'version',
];

/** Native folders; `contracts` is for all, and only cpu/isa compiles the bodies. */
const NATIVE_ARROWS: Record<string, string[]> = {
  contracts: [],
  cpu: ['contracts'],
  cuda: ['contracts', 'simt'],
  simt: ['contracts'],
  tensorflow: ['contracts', 'cpu'],
  addon: ['contracts', 'cpu', 'cuda', 'tensorflow'],
  mpi: [],
};

function filesUnder(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/native\/build/.test(file));
}

/** The room of a path inside `root`: its first folder, or its own name at the top. */
function roomOf(root: string, file: string): string {
  return relative(root, file)
    .split('/')[0]
    .replace(/\.[jt]s$/, '');
}

interface Import {
  target: string;
  typeOnly: boolean;
}

const STATEMENT = /^(import|export)\s(type\s)?([^;]*?\sfrom\s)?['"](\.[^'"]+)['"]/gm;
const DYNAMIC = /import\(\s*['"](\.[^'"]+)['"]\s*\)/g;

function importsOf(source: string): Import[] {
  const statements = [...source.matchAll(STATEMENT)].map(([, , type, names = '', target]) => {
    const braced = names.match(/^\{([^}]*)\}\sfrom\s$/)?.[1];
    const allTypes = braced?.split(',').every((name) => !name.trim() || name.trim().startsWith('type '));
    return { target, typeOnly: Boolean(type) || Boolean(allTypes) };
  });
  return [...statements, ...[...source.matchAll(DYNAMIC)].map(([, target]) => ({ target, typeOnly: false }))];
}

function violations(): string[] {
  return filesUnder('src', /\.ts$/).flatMap((file) => {
    const room = roomOf('src', file);
    const allowed = ARROWS[room] ?? (LEAVES.includes(room) ? [] : undefined);
    if (!allowed) return [`${file}: the room ${room} is not in the map`];
    return importsOf(readFileSync(file, 'utf8')).flatMap(({ target, typeOnly }) => {
      const to = roomOf('src', normalize(join(dirname(file), target)));
      if (to === room || LEAVES.includes(to) || allowed.includes('*') || allowed.includes(to)) return [];
      return typeOnly && allowed.includes(`type:${to}`) ? [] : [`${file}: ${room} -> ${to} (${target})`];
    });
  });
}

function nativeViolations(): string[] {
  return filesUnder('native', /\.(h|cc|cu|cuh|inl)$/).flatMap((file) => {
    const room = roomOf('native', file);
    const includes = [...readFileSync(file, 'utf8').matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)].map(
      ([, target]) => target,
    );
    return includes.flatMap((target) => {
      const to = roomOf('native', normalize(join(dirname(file), target)));
      const allowed = NATIVE_ARROWS[relative('native', file)] ?? NATIVE_ARROWS[room];
      return to === room || allowed?.includes(to) ? [] : [`${file}: ${room} -> ${to} (${target})`];
    });
  });
}

test('imports follow the arrows', () => {
  expect(violations()).toEqual([]);
});

test('rooms are entered by their index, but where there is a reason', () => {
  const deep = filesUnder('src', /\.ts$/).flatMap((file) =>
    importsOf(readFileSync(file, 'utf8')).flatMap(({ target }) => {
      const to = relative('src', normalize(join(dirname(file), target)));
      const [room, ...inside] = to.split('/');
      const entered = roomOf('src', file) !== room && inside.length > 0 && inside.join('/') !== 'index.js';
      return entered ? [to] : [];
    }),
  );
  // Both ways: a reason that nobody needs any more goes.
  expect([...new Set(deep)].sort()).toEqual(Object.values(DEEP).flat().sort());
});

test('imports go round in no circle', () => {
  const graph = new Map(
    filesUnder('src', /\.ts$/).map((file) => [
      file,
      importsOf(readFileSync(file, 'utf8'))
        .filter(({ typeOnly }) => !typeOnly)
        .map(({ target }) => normalize(join(dirname(file), target)).replace(/\.js$/, '.ts')),
    ]),
  );
  const done = new Set<string>();
  const circles: string[] = [];
  const follow = (file: string, path: string[]) => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (done.has(file) || path.includes(file)) return;
    for (const next of graph.get(file) ?? []) follow(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) follow(file, []);
  expect(circles).toEqual([]);
});

test('kernels/network is for the native tfjs backend, and for images on their way to it', () => {
  const theirs = /^src\/(kernels\/network|tfjs\/native|data\/decoding)\/|^src\/kernels\/decode-jpeg\.ts$/;
  const others = filesUnder('src', /\.ts$/).filter((file) => !theirs.test(file));
  const deep = others.filter((file) =>
    importsOf(readFileSync(file, 'utf8')).some(({ target }) => /\/network\//.test(target)),
  );
  expect(deep).toEqual([]);
});

test('native includes follow the arrows', () => {
  expect(nativeViolations()).toEqual([]);
});

test('kernel code sees CUDA through simt.h alone', () => {
  const headers = /#\s*include\s*[<"](cuda|mma|cooperative_groups|cub|thrust|nv)[\w/.]*[>"]/;
  const direct = filesUnder('native', /\.(h|cc|cu|cuh|inl)$/).filter((file) =>
    headers.test(readFileSync(file, 'utf8')),
  );
  expect(direct.filter((file) => !['native/cuda/device/simt.h', 'native/cuda/host/runtime.h'].includes(file))).toEqual(
    [],
  );
});

test('the reader sees every form of import', () => {
  const source = [
    `import { a } from './a.js';`,
    `import type { B } from '../b.js';`,
    `import { type C, type D } from './c.js';`,
    `import { type E, f } from './e.js';`,
    `export * from './g.js';`,
    `import './h.js';`,
    `import {\n  type I,\n  j,\n} from './i.js';`,
    `const k = await import('./k.js');`,
    `import fs from 'node:fs';`,
  ].join('\n');
  expect(importsOf(source)).toEqual([
    { target: './a.js', typeOnly: false },
    { target: '../b.js', typeOnly: true },
    { target: './c.js', typeOnly: true },
    { target: './e.js', typeOnly: false },
    { target: './g.js', typeOnly: false },
    { target: './h.js', typeOnly: false },
    { target: './i.js', typeOnly: false },
    { target: './k.js', typeOnly: false },
  ]);
});

test('only load-addon.ts loads a .node file', () => {
  const loading = filesUnder('src', /\.ts$/).filter((file) =>
    /\.node['"`]|process\.dlopen/.test(readFileSync(file, 'utf8')),
  );
  expect(loading.filter((file) => file !== 'src/kernels/load-addon.ts' && !file.startsWith('src/cli/'))).toEqual([]);
});

test('src/kernels imports no package but what it needs', () => {
  const packages = filesUnder('src/kernels', /\.ts$/).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^(?! \*).*from\s'([^.'][^']*)'/gm)].map(([, name]) => name),
  );
  expect([...new Set(packages)].filter((name) => !name.startsWith('node:'))).toEqual([]);
});
