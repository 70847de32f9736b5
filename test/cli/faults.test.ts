import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/schema.js';
import { writeIdx } from '../../src/data/index.js';
import { METRICS } from '../../src/evaluation/index.js';
import { CONFIGURED_ATTACKS } from '../evaluation/brief.js';
import { passChecks } from '../evaluation/without-checks.js';
import { reportOf } from '../report/reports.js';
import { callCli, temporaryFolder, writeTinyImages } from './run-cli.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
let paths: { images: string; labels: string };

function writeConfig(name: string, change: object = {}): string {
  const settings: Config = {
    seed: 1,
    data: { name: 'idx', ...paths, trainClasses: [0, 1, 2], ...change },
    model: { kind: 'conv', width: 2, dimension: 8 },
    training: { epochs: 1, batch: { size: 12 } },
    evaluation: { attacks: CONFIGURED_ATTACKS, epsilon: 0.1, bootstrap: 50, clusterRestarts: 3 },
  };
  writeFileSync(at(name), JSON.stringify(settings));
  return at(name);
}

beforeAll(async () => {
  paths = await writeTinyImages(folder);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('data that do not fit end with 4 and name the file:', () => {
  test.each<[string, () => Promise<object>, RegExp]>([
    [
      'a label that is no integer',
      async () => {
        const data = Float32Array.from({ length: 72 }, (_, i) => (i === 40 ? 0.5 : i % 6));
        await writeIdx(at('floats.idx'), { shape: [72], data });
        return { labels: at('floats.idx') };
      },
      /an integer as label 40 \(byte 168\) but received 0\.5 in .*floats\.idx/,
    ],
    [
      'labels of one class',
      async () => {
        await writeIdx(at('one.idx'), { shape: [72], data: new Uint8Array(72) });
        return { labels: at('one.idx'), trainClasses: undefined };
      },
      /at least 2 classes.* received one class in .*one\.idx/,
    ],
    [
      'labels that are images',
      async () => ({ labels: paths.images }),
      /labels \[72\].* received \[72, 8, 8\] in .*images\.idx/,
    ],
    [
      'images with their channels first',
      async () => {
        await writeIdx(at('first.idx'), { shape: [72, 3, 8, 8], data: new Uint8Array(72 * 192) });
        return { images: at('first.idx') };
      },
      /c 1 or 3, but received Uint8Array \[72, 3, 8, 8\] in .*first\.idx.\n {2}Channels last/,
    ],
    [
      'labels of another number',
      async () => {
        await writeIdx(at('few.idx.gz'), { shape: [71], data: new Uint8Array(71) });
        return { labels: at('few.idx.gz') };
      },
      /labels \[72\], one for each image in .*images\.idx, but received \[71\] in .*few\.idx\.gz/,
    ],
  ])('%s', async (name, change, message) => {
    const config = writeConfig(`${name}.json`, await change());
    const { code, stdout, stderr } = await callCli(['train', '--config', config, '--out', at(name)]);
    expect(stderr).toMatch(message);
    expect(stderr).toContain('ERR_DATA');
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  });
});

describe('evaluate at its edges', () => {
  const run = at('run');

  beforeAll(async () => {
    const trained = await callCli([
      'train',
      '--config',
      writeConfig('config.json'),
      '--method',
      'standard',
      '--out',
      run,
    ]);
    expect(trained.stderr).not.toContain('ERR_');
    expect(trained.code).toBe(0);
  });

  test('two images give what is defined, in text, JSON and page', async () => {
    const html = at('two.html');
    const { code, stdout } = await callCli(['evaluate', run, '--count', '2', '--seed', '1', '--json', '--html', html]);
    expect(code).toBe(0);
    const { clean, notDefined, manifest } = JSON.parse(stdout);
    expect(manifest.samples).toBe(2);
    for (const metric of METRICS) expect(clean[metric] === null).toBe(metric in notDefined);
    expect(Object.keys(notDefined).length).toBeGreaterThan(0);
    expect(readFileSync(html, 'utf8')).toContain('n/a');
  });

  test.each([
    [['--count', '0'], 'Expected a positive integer'],
    [['--count', '-3'], 'Expected a positive integer'],
    [['--count', 'NaN'], 'Expected an integer'],
    [['--count', '1'], 'Expected an integer of at least 2 for count but received 1.'],
    [['--epsilon', '-0.1'], 'Expected a finite number >= 0'],
    [['--epsilon', 'NaN'], 'Expected a finite number >= 0'],
  ])('%j is one sentence, and 2', async (flags, message) => {
    const { code, stdout, stderr } = await callCli(['evaluate', run, ...flags]);
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test.each([
    [['--count', '1000000'], /^36 images of 3 classes/m],
    [['--epsilon', '0'], /^linf attacks, epsilon 0 /m],
    [['--epsilon', '1'], /^linf attacks, epsilon 1 /m],
  ])('%j is right', async (flags, text) => {
    // With the whole box as the radius they have most to say.
    if (flags[1] !== '1') passChecks();
    const { code, stdout } = await callCli(['evaluate', run, ...flags]);
    expect(code).toBe(0);
    expect(stdout).toMatch(text);
    expect(stdout).not.toMatch(/NaN|null|undefined/);
  });
});

describe('table', () => {
  const job = join(folder, 'sweep', 'at', 'epochs', 'seed-1');
  const file = join(job, 'result.json');
  const result = {
    ...{ label: 'at', seed: 1, budget: 'epochs' },
    history: { epochs: 1, gradientEvaluations: 10, seconds: 1 },
    report: reportOf(0.9, { pgd: 0.2 }),
  };

  test('of a damaged result names the file: 4', async () => {
    mkdirSync(job, { recursive: true });
    writeFileSync(file, JSON.stringify(result));
    expect(await callCli(['table', at('sweep')])).toMatchObject({ code: 0, stderr: '' });
    writeFileSync(file, JSON.stringify(result).slice(0, 300));
    const { code, stdout, stderr } = await callCli(['table', at('sweep')]);
    expect(stderr).toContain(`ERR_DATA: Expected a result of eat-dml sweep in ${file} but it is no JSON`);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  });

  test('of no results, or no folder: 4', async () => {
    mkdirSync(at('empty'));
    const [empty, missing] = await Promise.all([callCli(['table', at('empty')]), callCli(['table', at('missing')])]);
    expect(empty).toMatchObject({ code: 4, stdout: '' });
    expect(empty.stderr).toContain(`Expected results of eat-dml sweep in ${at('empty')} but found none.`);
    expect(missing).toMatchObject({ code: 4, stdout: '' });
    expect(missing.stderr).toContain(`Expected the folder of a sweep at ${at('missing')} but received ENOENT.`);
  });
});

describe('data emoji', () => {
  /** The command with a program of its own in the place of npm. */
  const withNpm = (script: string, cache: string) => {
    const bin = at('bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'npm'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, 'npm'), 0o755);
    return callCli(['data', 'emoji', '--cache', cache], { PATH: [bin, process.env.PATH].join(delimiter) });
  };

  test.each([
    ['ends with a code', 'exit 7', 'but it ended with exit code 7.\n  Check that npm runs here'],
    ['is killed', 'kill -9 $$', 'but it ended with SIGKILL.'],
    ['installs nothing', 'exit 0', 'Expected the npm package @iconify-json/noto but received none in'],
  ])('says where npm %s', async (_, script, message) => {
    const { code, stdout, stderr } = await withNpm(script, at('emoji'));
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    if (script === 'exit 0') expect(stderr).toContain('npm said that it installed them. Remove');
  });

  test('says where npm is not, and where the cache cannot be', async () => {
    const none = await callCli(['data', 'emoji', '--cache', at('emoji')], { PATH: '/nowhere' });
    expect(none.stderr).toContain('but it could not be started (ENOENT).');
    const blocked = await withNpm('exit 0', join(paths.images, 'below'));
    expect(blocked.stderr).toMatch(
      /ERR_PATH: Expected to .* but a part of the path is a file and no folder \(ENOTDIR\)\./,
    );
    for (const { code, stdout } of [none, blocked]) expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  });
});
