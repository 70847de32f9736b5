import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { checkEnvironment, environmentProblems, type VariableName, variable } from '../../src/environment.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { callCli, runCli, temporaryFolder } from './run-cli.js';

afterEach(() => vi.unstubAllEnvs());

const filesUnder = (folder: string, ending: RegExp) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name) && !/native\/build/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name));

/** The names that match in the files. */
const namesIn = (files: string[], pattern: RegExp) => {
  const found = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, name]) => name));
  return [...new Set(found)].sort();
};

describe('every variable', () => {
  const listed = namesIn(['src/environment.ts'], /^ {2}(EAT_DML_\w+):/gm);

  test('that is read is in the list, but for what the addon alone can tell', () => {
    const sources = filesUnder('src', /\.ts$/).filter((file) => !file.endsWith('environment.ts'));
    const native = filesUnder('native', /\.(cc|cu|h|inl)$/);
    const read = [
      ...namesIn(sources, /process\.env\.(EAT_DML_\w+)/g),
      ...namesIn(sources, /variable\('(EAT_DML_\w+)'\)/g),
      ...namesIn(native, /getenv\("(EAT_DML_\w+)"\)/g),
    ];
    expect([...new Set(read)].filter((name) => name !== 'EAT_DML_ISA').sort()).toEqual(listed);
    // Only where it is asked whether it was forced, and where the command sets it for its own probe.
    const direct = sources.filter((file) => /process\.env\.EAT_DML_/.test(readFileSync(file, 'utf8')));
    expect(direct.sort()).toEqual(['src/cli/commands/setup-tensorflow.ts', 'src/kernels/load-addon.ts']);
  });

  test('is in docs/cli.md', () => {
    expect(namesIn(['docs/cli.md'], /^\| `(EAT_DML_\w+)/gm)).toEqual([...listed, 'EAT_DML_ISA'].sort());
  });

  test.each<[VariableName, string[], string[]]>([
    ['EAT_DML_THREADS', ['1', '24', '5000'], ['abc', '0', '-2', '1.5', '4x', ' 4', '1e3', '99999999999', 'NaN']],
    ['EAT_DML_PROBE_TIMEOUT_MS', ['1500'], ['soon', '0', '-1']],
    ['EAT_DML_MPI_STALL_SECONDS', ['60'], ['0', '1m', '-1']],
    ['EAT_DML_DEBUG', ['inherited'], ['1', 'inherited,all']],
    ['EAT_DML_CUDA_VARIANT', ['1', '5'], ['0', '6', 'wgmma']],
    ['EAT_DML_CUDA_TIMING', ['1'], ['0', 'yes']],
    ['EAT_DML_CACHE', ['/elsewhere', 'here'], []],
  ])('%s is taken or refused', (name, good, bad) => {
    for (const text of [...good, '']) {
      vi.stubEnv(name, text);
      expect(variable(name)).toBe(text || undefined);
      expect(environmentProblems()).toEqual([]);
    }
    for (const text of bad) {
      vi.stubEnv(name, text);
      const refused = new RegExp(`^Expected .+ in ${name} but received "${text}"\\.$`);
      expect(checkEnvironment).toThrow(
        expect.objectContaining({ code: 'ERR_DEVICE', message: expect.stringMatching(refused) }),
      );
    }
  });
});

test('no backend is chosen in spite of a variable', async () => {
  vi.stubEnv('EAT_DML_THREADS', 'abc');
  const refused = { code: 'ERR_DEVICE', message: expect.stringContaining('EAT_DML_THREADS') };
  await expect(chooseBackend()).rejects.toMatchObject(refused);
  await expect(chooseBackend({ backend: 'cpu' })).rejects.toMatchObject(refused);
});

test('a command ends with 3 and the sentence, doctor with all of them', async () => {
  const env = { EAT_DML_THREADS: 'abc', EAT_DML_DEBUG: '1' };
  const demo = await callCli(['demo', '--out', temporaryFolder()], env);
  expect(demo).toMatchObject({ code: 3, stdout: '' });
  expect(demo.stderr).toContain('ERR_DEVICE: Expected inherited in EAT_DML_DEBUG but received "1".');
  const doctor = await runCli(['doctor'], { env });
  expect(doctor.code).toBe(3);
  expect(doctor.stdout).toContain(
    'Expected a positive integer in EAT_DML_THREADS but received "abc". Unset EAT_DML_THREADS',
  );
  expect(doctor.stdout).toContain('Expected inherited in EAT_DML_DEBUG');
});

test('an addon that is named and not there is a warning', async () => {
  const { code, stderr } = await runCli(['doctor', '--json'], { env: { EAT_DML_NATIVE_PATH: '/no/such/addon' } });
  expect(code).toBe(0);
  expect(stderr).toContain('Expected the path of an addon in EAT_DML_NATIVE_PATH but received /no/such/addon');
});
