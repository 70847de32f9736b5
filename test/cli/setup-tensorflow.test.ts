import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findPackage } from '../../src/cli/tensorflow/project.js';
import { callCli, runCli, temporaryFolder } from './run-cli.js';

/** A project with a tfjs-node that was installed without scripts, and something in the places that a set-up replaces. */
function projectWithPackage(): { project: string; folder: string } {
  const project = temporaryFolder();
  const folder = join(project, 'node_modules/@tensorflow/tfjs-node');
  mkdirSync(join(folder, 'deps/lib'), { recursive: true });
  mkdirSync(join(folder, 'lib/napi-v8'), { recursive: true });
  writeFileSync(join(project, 'package.json'), '{"private": true}');
  writeFileSync(join(folder, 'package.json'), '{"name": "@tensorflow/tfjs-node", "version": "4.22.0"}');
  writeFileSync(join(folder, 'deps/lib/libtensorflow.so'), 'before');
  writeFileSync(join(folder, 'lib/napi-v8/tfjs_binding.node'), 'before');
  return { project, folder };
}

const contents = (folder: string) => (readdirSync(folder, { recursive: true }) as string[]).sort();

/** A folder that looks like libtensorflow's archive as far as linking files goes. */
function emptyLibrary(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'lib'));
  mkdirSync(join(folder, 'include/tensorflow/c'), { recursive: true });
  writeFileSync(join(folder, 'include/tensorflow/c/c_api.h'), '');
  for (const name of ['libtensorflow.so.2', 'libtensorflow_framework.so.2'])
    writeFileSync(join(folder, 'lib', name), '');
  return folder;
}

const linux = process.platform === 'linux';

describe('a set-up that fails leaves the package as it was', () => {
  test.skipIf(!linux)('without the library in the folder named', async () => {
    const { project, folder } = projectWithPackage();
    const before = contents(folder);
    const args = ['setup-tensorflow', '--dir', project, '--from', temporaryFolder()];
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/ERR_BUILD: Expected include\/tensorflow\/c\/c_api\.h in .+\n.*lib\/, include\//);
    expect(contents(folder)).toEqual(before);
    expect(readFileSync(join(folder, 'deps/lib/libtensorflow.so'), 'utf8')).toBe('before');
  });

  test.skipIf(!linux)('with a library that nothing can be built against', async () => {
    const { project, folder } = projectWithPackage();
    const before = contents(folder);
    const { code, stderr } = await runCli(['setup-tensorflow', '--dir', project, '--from', emptyLibrary()]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/ERR_BUILD: .*node-gyp/);
    expect(contents(folder)).toEqual(before);
    expect(readFileSync(join(folder, 'lib/napi-v8/tfjs_binding.node'), 'utf8')).toBe('before');
  });

  test.skipIf(!linux)('and undoes one that was killed', async () => {
    const { project, folder } = projectWithPackage();
    mkdirSync(join(folder, '.eat-dml-before/deps/lib'), { recursive: true });
    writeFileSync(join(folder, '.eat-dml-before/deps/lib/libtensorflow.so'), 'long before');
    await runCli(['setup-tensorflow', '--dir', project, '--from', temporaryFolder()]);
    expect(readFileSync(join(folder, 'deps/lib/libtensorflow.so'), 'utf8')).toBe('long before');
    expect(existsSync(join(folder, '.eat-dml-before'))).toBe(false);
  });
});

test('what is no project, and flags that do not fit, are said', async () => {
  const none = await callCli(['setup-tensorflow', '--dir', temporaryFolder()]);
  expect(none.code).toBe(3);
  expect(none.stderr).toMatch(/Expected a project .*\n.*--dir/);
  const flags = await callCli(['setup-tensorflow', '--from', 'download', '--version', '2.21.0']);
  expect(flags.code).toBe(2);
  expect(flags.stderr).toContain('--version with --from download');
});

test('--check where there is nothing to check says what to do', async () => {
  const project = temporaryFolder();
  writeFileSync(join(project, 'package.json'), '{}');
  const { code, stderr } = await runCli(['setup-tensorflow', '--check', '--dir', project]);
  expect(code).toBe(3);
  expect(stderr).toMatch(/tfjs-node-gpu is not installed in .*setup-tensorflow/s);
});

const here = findPackage(process.cwd());
const setUp = here !== undefined && existsSync(join(here.folder, 'deps/eat-dml.json'));

test.skipIf(!setUp)('where it was set up, a second time changes nothing, and doctor tells of it', async () => {
  const { version, gpu } = JSON.parse(readFileSync(join(here!.folder, 'deps/eat-dml.json'), 'utf8'));
  const flags = [...(version ? ['--version', version] : []), ...(gpu ? ['--gpu'] : [])];
  const { code, stdout } = await runCli(['setup-tensorflow', '--json', ...flags], {
    env: { EAT_DML_TENSORFLOW_DIR: undefined },
  });
  expect(code).toBe(0);
  const result = JSON.parse(stdout);
  expect(result.did).toContain('nothing was changed');
  expect(result.check.detail).toContain(`libtensorflow ${version}`);
  expect(result.check.loss).toBeGreaterThan(0);
  const doctor = JSON.parse((await runCli(['doctor', '--json'])).stdout);
  expect(doctor.backends[0]).toMatchObject({ name: 'tensorflow', available: true, detail: result.check.detail });
});
