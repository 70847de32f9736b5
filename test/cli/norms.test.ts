import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/schema.js';
import { passChecks } from '../evaluation/without-checks.js';
import { callCli, temporaryFolder, writeTinyImages } from './run-cli.js';

const folder = temporaryFolder();
const config = join(folder, 'config.json');
const out = join(folder, 'l2');
let settings: Config;

beforeAll(async () => {
  settings = {
    seed: 1,
    data: { name: 'idx', ...(await writeTinyImages(folder)), trainClasses: [0, 1, 2] },
    model: { kind: 'conv', width: 1, dimension: 4 },
    method: { name: 'at', attack: { norm: 'l2', epsilon: 1, steps: 1, goal: 'joint-set' } },
    training: { epochs: 1, batch: { size: 12 } },
    evaluation: { suite: 'quick', count: 12, bootstrap: 0, clusterRestarts: 3 },
  };
  writeFileSync(config, JSON.stringify(settings));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a radius is measured in the norm of the run', () => {
  test('l2: above 1 in training and in evaluation, by flag', async () => {
    const trained = await callCli(['train', '--config', config, '--epsilon', '1.5', '--out', out, '--json']);
    expect(trained.code, trained.stderr).toBe(0);
    passChecks();
    const { code, stdout, stderr } = await callCli(['evaluate', out, '--epsilon', '2', '--json']);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).manifest).toMatchObject({ norm: 'l2', epsilon: 2 });
  });

  test('linf: 8 asks for 8/255 before anything is read or written', async () => {
    const nowhere = join(folder, 'nowhere');
    const { code, stdout, stderr } = await callCli(['train', '--method', 'eat', '--epsilon', '8', '--out', nowhere]);
    expect(stderr).toContain('for attack.epsilon but received 8; did you mean 8/255?');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(existsSync(nowhere)).toBe(false);
  });

  test('linf: the runs of a sweep are looked at before the first is trained', async () => {
    const file = join(folder, 'sweep.json');
    const runs = { l2: {}, linf: { method: { name: 'standard' } } };
    const base = { ...settings, evaluation: { ...settings.evaluation, epsilon: 2 } };
    writeFileSync(file, JSON.stringify({ out: join(folder, 'sweep'), seeds: [1], base, runs }));
    const { code, stderr } = await callCli(['sweep', file]);
    expect(stderr).toMatch(/sweep\.json: linf is not a valid configuration:\n {2}evaluation\.epsilon: .*2\/255\?$/m);
    expect(code).toBe(2);
    expect(existsSync(join(folder, 'sweep'))).toBe(false);
  });
});
