import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../../src/config/schema.js';
import type { EvaluationReport, Scores } from '../../src/evaluation/index.js';
import { callCli, temporaryFolder, writeTinyImages } from '../cli/run-cli.js';
import { CONFIGURED_ATTACKS } from '../evaluation/brief.js';
import { describeWebgpu, onCard } from './describe-webgpu.js';

const folder = temporaryFolder();
const [run, file] = ['run', 'config.json'].map((name) => join(folder, name));
const IMAGES = 12;

beforeAll(async () => {
  const config: Config = {
    seed: 1,
    data: { name: 'idx', ...(await writeTinyImages(folder)), trainClasses: [0, 1, 2] },
    model: { kind: 'conv', width: 2, dimension: 8 },
    training: { epochs: 2, batch: { size: 12 } },
    evaluation: { attacks: CONFIGURED_ATTACKS, epsilon: 0.1, bootstrap: 50, clusterRestarts: 3 },
  };
  writeFileSync(file, JSON.stringify(config));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the command prints, and says of the backend. */
async function reportOn(backend: 'native' | 'webgpu'): Promise<EvaluationReport> {
  const given = [run, '--config', file, '--count', String(IMAGES), '--backend', backend, '--json'];
  const { code, stdout, stderr } = await callCli(['evaluate', ...given]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(`backend ${backend}: asked for;`) });
  return JSON.parse(stdout) as EvaluationReport;
}

/** The farthest that a score is from another's. */
const apart = (a: Scores, b: Scores) =>
  Math.max(...Object.entries(a).map(([name, value]) => Math.abs(value! - b[name as keyof Scores]!)));

describeWebgpu('eat-dml evaluate --backend webgpu', () => {
  test('gives the report that native gives, checks included', { timeout: 900_000 }, async () => {
    const trained = await callCli(['train', '--config', file, '--backend', 'native', '--out', run]);
    expect({ code: trained.code, stderr: trained.stderr }).toEqual({ code: 0, stderr: expect.any(String) });
    // As in webgpu-thousand-steps.test.ts: a third of the time in software.
    if (!onCard) tf.env().set('WEBGPU_MATMUL_PROGRAM_TYPE', 3);
    const [expected, received] = [await reportOn('native'), await reportOn('webgpu')];
    expect(received.manifest.backend.name).toBe('webgpu');
    expect(received.manifest).toEqual({ ...expected.manifest, backend: received.manifest.backend });
    expect(received.clean).toEqual(expected.clean);
    const results = ({ checks }: EvaluationReport) => checks.map(({ name, passed }) => [name, passed]);
    expect(results(received)).toEqual(results(expected));
    expect(received.attacks.map(({ name }) => name)).toEqual(expected.attacks.map(({ name }) => name));
    for (const [i, { name, scores }] of received.attacks.entries()) {
      // An image that is nearer to another by a float's last digits is one of twelve.
      expect(apart(scores, expected.attacks[i].scores), name).toBeLessThan(1.2 / IMAGES);
      expect(scores.recallAt1, name).toBeLessThan(received.clean.recallAt1! / 2);
    }
  });
});
