import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/schema.js';
import { CONFIGURED_ATTACKS, QUICKER } from '../evaluation/brief.js';
import { passChecks } from '../evaluation/without-checks.js';
import { canMount, smallDisk } from '../small-disk.js';
import { CLI, callCli, runCli, temporaryFolder, writeTinyImages } from './run-cli.js';

const folder = temporaryFolder();
const config = join(folder, 'config.json');
const demo = join(folder, 'demo.json');
const run = join(folder, 'run');
const full = existsSync('/dev/full');

beforeAll(async () => {
  const settings: Config = {
    seed: 1,
    backend: QUICKER,
    data: { name: 'idx', ...(await writeTinyImages(folder)) },
    model: { kind: 'conv', width: 2, dimension: 4 },
    method: { name: 'standard' },
    training: { epochs: 2, batch: { size: 12 } },
    evaluation: { attacks: CONFIGURED_ATTACKS, epsilon: 0.1, count: 12, bootstrap: 50 },
  };
  writeFileSync(config, JSON.stringify(settings));
  writeFileSync(demo, JSON.stringify({ ...settings, method: undefined }));
  const { code, stderr } = await callCli(['train', '--config', config, '--out', run]);
  expect(code, stderr).toBe(0);
});

afterAll(() => rmSync(folder, { recursive: true }));

const oneSentence = (stderr: string) => stderr.match(/^eat-dml: ERR_\w+: .*$/gm) ?? [];

describe('a path that cannot be written', () => {
  const under = join(config, 'below');
  test.each<[string, string[]]>([
    ['train --out', ['train', '--config', config, '--out', under]],
    ['train --tensorboard', ['train', '--config', config, '--out', join(folder, 'tb'), '--tensorboard', under]],
    ['evaluate --out', ['evaluate', run, '--out', under]],
    ['evaluate --html', ['evaluate', run, '--html', under]],
    ['evaluate --report', ['evaluate', run, '--report', under]],
    ['report --out', ['report', run, '--out', under]],
    ['evaluate --out, a folder', ['evaluate', run, '--out', folder]],
    ['demo --out', ['demo', '--config', demo, '--out', under]],
    ['table --out', ['table', folder, '--out', under]],
    ['table --picture', ['table', folder, '--picture', under]],
    ['data --cache', ['data', 'emoji', '--cache', under]],
  ])('%s: 4, one sentence with the path, before any work', async (_, args) => {
    const { code, stdout, stderr } = await callCli(args);
    expect(oneSentence(stderr), stderr).toEqual([expect.stringContaining(args.at(-1)!)]);
    expect(stderr).not.toMatch(/unexpected|step 1|attack/);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  });

  test.skipIf(!canMount)('a full disk: 3, one sentence, and the evaluation is not begun', async () => {
    const disk = smallDisk(64);
    disk.fill();
    for (const args of [
      ['evaluate', run, '--out', join(disk.path, 'report.json')],
      ['train', '--config', config, '--out', join(disk.path, 'run')],
    ]) {
      const { code, stdout, stderr } = await callCli(args);
      expect(oneSentence(stderr), stderr).toEqual([expect.stringMatching(/ERR_SYSTEM: .*no space is left/)]);
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    }
  });

  test.skipIf(!full)('evaluate --out that fails at the end prints the result instead', async () => {
    passChecks();
    const { code, stdout, stderr } = await callCli(['evaluate', run, '--out', '/dev/full']);
    expect(oneSentence(stderr)).toEqual([expect.stringContaining('write /dev/full but no space is left')]);
    expect(stderr).toContain('The result is on stdout, as JSON.');
    expect(JSON.parse(stdout)).toMatchObject({ command: 'evaluate', run, manifest: { samples: 12 } });
    expect(code).toBe(3);
  });
});

describe.skipIf(!full)('a stream that takes nothing', () => {
  test('stderr: training ends as ever', async () => {
    const stderr = openSync('/dev/full', 'w');
    const out = join(folder, 'silent');
    const { code, stdout } = await runCli(['train', '--config', config, '--out', out, '--json'], { stderr });
    closeSync(stderr);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ history: { epochs: 2 } });
    expect(existsSync(join(out, 'manifest.json'))).toBe(true);
  });

  test('stdout: training is saved, and the result that is lost is told: 3', async () => {
    const stdout = openSync('/dev/full', 'w');
    const out = join(folder, 'unprinted');
    const { code, stderr } = await runCli(['train', '--config', config, '--out', out, '--json'], { stdout });
    closeSync(stdout);
    expect(stderr).toMatch(/eat-dml: the result cannot be printed: ERR_SYSTEM: .*ENOSPC/);
    expect(existsSync(join(out, 'manifest.json'))).toBe(true);
    expect(code).toBe(3);
  });

  test.skipIf(!canMount)('TensorBoard’s disk: said once, and training goes on', async () => {
    const disk = smallDisk(4);
    const out = join(folder, 'events');
    const args = ['train', '--config', config, '--epochs', '20', '--out', out, '--tensorboard', disk.path, '--json'];
    const { code, stdout, stderr } = await callCli(args);
    expect(stderr.match(/no space is left/g)).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({ history: { epochs: 20 } });
    expect(code).toBe(0);
  });
});

test.skipIf(process.platform === 'win32')('a pipe that nobody reads ends nothing: training is saved', async () => {
  const out = join(folder, 'unread');
  const args = ['train', '--config', config, '--out', out, '--epochs', '12'];
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.once('data', () => {
    child.stderr.destroy();
    child.stdout.destroy();
  });
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(existsSync(join(out, 'manifest.json'))).toBe(true);
});

test.skipIf(process.platform === 'win32')(
  'SIGHUP, sent twice as a closing terminal does, saves as Ctrl-C does',
  async () => {
    const out = join(folder, 'hung-up');
    let sent = false;
    const { code, stderr } = await runCli(['train', '--config', config, '--epochs', '100000', '--out', out], {
      onStderr: (text, kill) => {
        if (sent || !text.includes('step 1/')) return;
        sent = true;
        kill('SIGHUP');
        kill('SIGHUP');
      },
    });
    expect(stderr).toContain(`eat-dml train --resume --out ${out}`);
    expect(code).toBe(130);
    expect(readdirSync(out).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))).toMatchObject({ training: { epochs: 100000 } });
  },
);
