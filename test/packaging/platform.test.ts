import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LONG } from '../long.js';
import { linkPackages, root, run, temporaryFolder } from './run.js';

interface Built {
  path: string;
  /** What a machine needs to run it. */
  needs: string;
}
const { buildPortable, PLATFORMS, packMain, packPlatform } = (await import(
  new URL('../../scripts/platform-package.mjs', import.meta.url).href
)) as {
  buildPortable(platform: string): Built;
  PLATFORMS: string[];
  packMain(out: string): string;
  packPlatform(platform: string, built: Built, out: string): string;
};

const MINUTES = 60_000;
/** With EAT_DML_TEST_WHOLE=1 the addon is compiled as it is published, which takes minutes; else it is that of this checkout. */
const WHOLE = process.env.EAT_DML_TEST_WHOLE === '1';
const platform = `${process.platform}-${process.arch}`;
const name = `@eat-dml/${platform}`;
const built = join(root, 'native/build/Release/eat_dml.node');
const folder = temporaryFolder();
const addon = join(folder, 'node_modules', name, 'eat_dml.node');
/** Nothing but Node: no compiler, no cmake. */
const bin = join(folder, 'bin');
const environment = {
  ...{ PATH: bin, CXX: undefined, EAT_DML_ISA: undefined, EAT_DML_NATIVE_PATH: undefined },
  EAT_DML_CACHE: join(folder, 'cache'),
};

const eatDml = (...args: string[]) =>
  run(process.execPath, [join(folder, 'node_modules/.bin/eat-dml'), ...args], { cwd: folder, env: environment });

async function cpu() {
  const { stdout } = await eatDml('doctor', '--json');
  const { devices, attempts } = JSON.parse(stdout);
  const device = devices.find((one: { name: string }) => one.name === 'cpu');
  return { available: device.available, attempt: attempts.at(-1) as { from: string; failure?: string } };
}

// An installation by npm takes long.
describe.runIf(LONG && existsSync(built) && PLATFORMS.includes(platform))(
  `eat-dml and its addon from npm, without a compiler${LONG ? '' : ' (skipped: test:long runs it)'}`,
  () => {
    beforeAll(async () => {
      await run(process.execPath, ['scripts/build-ts.mjs', '--if-changed']);
      const made = WHOLE ? buildPortable(platform) : { path: built, needs: 'This machine.' };
      const tarballs = [packMain(folder), packPlatform(platform, made, folder)];
      writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}');
      linkPackages(folder);
      const quiet = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
      const { code, stderr } = await run('npm', ['install', '--prefix', folder, ...quiet, ...tarballs], {
        cwd: folder,
      });
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      mkdirSync(bin);
    }, 15 * MINUTES);
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test('what is published asks for the addon of every platform, and npm takes the one that fits', () => {
      const { optionalDependencies, version } = JSON.parse(
        readFileSync(join(folder, 'node_modules/eat-dml/package.json'), 'utf8'),
      );
      expect(optionalDependencies).toEqual(Object.fromEntries(PLATFORMS.map((one) => [`@eat-dml/${one}`, version])));
      const about = JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'));
      expect(about).toMatchObject({ version, os: [process.platform], cpu: [process.arch], main: 'eat_dml.node' });
    });

    test('kernels run on it', async () => {
      const program = `
      import { devices, pairwiseDistance } from 'eat-dml/kernels';
      const points = { data: Float32Array.of(0, 0, 3, 4), rows: 2, cols: 2 };
      const { data } = await pairwiseDistance(points, points, { metric: 'euclidean', device: 'cpu' });
      console.log(JSON.stringify([...data]));`;
      writeFileSync(join(folder, 'program.mjs'), program);
      const { stdout, stderr } = await run(process.execPath, ['program.mjs'], { cwd: folder, env: environment });
      expect({ stdout, stderr }).toEqual({ stdout: '[0,5,5,0]\n', stderr: '' });
      expect((await cpu()).attempt).toMatchObject({ from: 'platform package' });
    });

    test('one that does not load, or is of another version, is named by doctor, and JavaScript runs', async () => {
      const manifest = join(folder, 'node_modules', name, 'package.json');
      const about = readFileSync(manifest, 'utf8');
      writeFileSync(manifest, about.replace(/"version": "[^"]*"/, '"version": "0.0.1"'));
      const older = await cpu();
      expect(older.available).toBe(false);
      expect(older.attempt.failure).toMatch(/^it is of version 0\.0\.1, and eat-dml of .*: install @eat-dml\//);
      writeFileSync(manifest, about);
      copyFileSync(addon, `${addon}.whole`);
      writeFileSync(addon, readFileSync(addon).subarray(0, statSync(addon).size / 2));
      const broken = await cpu();
      expect(broken.available).toBe(false);
      expect(broken.attempt.failure).toBeTruthy();
      copyFileSync(`${addon}.whole`, addon);
      expect((await cpu()).available).toBe(true);
    });
  },
);
