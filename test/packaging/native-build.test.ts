import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, run, temporaryFolder } from './run.js';

interface Tools {
  compiler?: string;
  cmake?: string;
  make?: string;
  gnuMake?: string;
  python?: string;
}

interface Plan {
  ways: { name: string; args: string[]; output: string }[];
  missing: string[];
}

const { buildPlan, probe } = (await import(new URL('../../scripts/native-addon.mjs', import.meta.url).href)) as {
  buildPlan(tools: Tools): Plan;
  probe(path: string): Promise<{ info?: { isa: string }; failure?: string }>;
};

const all: Tools = { compiler: 'c++', cmake: 'cmake', make: 'ninja', gnuMake: 'make', python: 'python3' };

test.each<[string, Tools, string[], string[]]>([
  ['everything', all, ['cmake-js', 'node-gyp'], []],
  ['no cmake', { ...all, cmake: undefined }, ['node-gyp'], []],
  ['no python', { ...all, python: undefined }, ['cmake-js'], []],
  ['ninja alone', { ...all, gnuMake: undefined }, ['cmake-js'], []],
  ['no compiler', { ...all, compiler: undefined }, [], ['a C++ compiler (g++ or clang++)']],
  ['neither cmake nor python', { ...all, cmake: undefined, python: undefined }, [], ['cmake (or python3 and make)']],
])('with %s', (_, tools, ways, missing) => {
  const plan = buildPlan(tools);
  expect(plan.ways.map(({ name }) => name)).toEqual(ways);
  expect(plan.missing).toEqual(missing);
});

test('each way builds where the loader looks', () => {
  const outputs = buildPlan(all).ways.map(({ output }) => output);
  expect(outputs).toEqual(['native/build', 'build'].map((folder) => join(root, folder, 'Release/eat_dml.node')));
});

test('without any tool build:native says so in one line, and does not fail', async () => {
  const { code, stdout, stderr } = await run(process.execPath, ['scripts/build-native.mjs'], {
    env: { PATH: temporaryFolder(), CXX: undefined },
  });
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringMatching(/^eat-dml: the native addon is not built, .* missing; kernels run in JavaScript.*Install /),
  ]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
});

test('an addon is probed in a child process', async () => {
  expect((await probe(join(root, 'package-lock.json'))).failure).toMatch(/./);
  const built = join(root, 'native/build/Release/eat_dml.node');
  if (existsSync(built)) expect((await probe(built)).info).toMatchObject({ isa: expect.any(String) });
});

test('both builds read the one list of sources', () => {
  for (const file of ['native/CMakeLists.txt', 'native/addon.gypi']) {
    const text = readFileSync(join(root, file), 'utf8');
    expect(text).toContain('sources.txt');
    expect(text.match(/\w+\.cc\b/g)).toBeNull();
  }
});
