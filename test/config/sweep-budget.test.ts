import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { sweepConfig } from '../../src/config/sweep.js';
import * as evaluation from '../../src/evaluation/index.js';
import type { RunResult } from '../../src/report/index.js';
import { temporaryFolder, writeTinyImages } from '../cli/run-cli.js';
import { QUICKER } from '../evaluation/brief.js';

const folder = temporaryFolder();

beforeAll(() => {
  vi.spyOn(evaluation, 'evaluate').mockImplementation(async () => ({}) as evaluation.EvaluationReport);
});
afterAll(() => {
  vi.mocked(evaluation.evaluate).mockRestore();
  rmSync(folder, { recursive: true, force: true });
});

test('equal compute buys the reference’s epochs times its cost over the own, rounded, and one at least', async () => {
  const at = (steps: number) => ({ method: { name: 'at' as const, attack: { epsilon: 0.1, steps } } });
  const epochs: Record<string, number> = {};
  await sweepConfig(
    {
      out: join(folder, 'out'),
      seeds: [1],
      reference: 'twice',
      base: {
        data: { name: 'idx', ...(await writeTinyImages(folder)), trainClasses: [0, 1, 2] },
        model: { kind: 'conv', width: 1, dimension: 2 },
        training: { epochs: 3, batch: { size: 36 } },
        backend: QUICKER,
      },
      runs: { twice: at(1), once: { method: { name: 'standard' } }, fourfold: at(3), fifteenfold: at(14) },
    },
    {
      async save(path, result) {
        const { label, budget, history } = result as RunResult;
        expect(path).toContain(label);
        if (budget === 'compute') epochs[label] = history.epochs;
      },
    },
  );
  // Costs 2, 1, 4 and 15 of an image drawn: 3 · 2/1, 3 · 2/4 = 1.5, 3 · 2/15 = 0.4.
  expect(epochs).toEqual({ once: 6, fourfold: 2, fifteenfold: 1 });
});
