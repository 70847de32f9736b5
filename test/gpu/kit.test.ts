import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attackCases } from '../kernels/cases/attacks.js';
import { distanceCases } from '../kernels/cases/distances.js';
import { LONG } from '../long.js';
import { hasBash, runKit } from './run.js';

const script = (name: string) => import(new URL(`../../scripts/${name}`, import.meta.url).href);
const { missingTools } = (await script('device-addon.mjs')) as { missingTools(device: string): string[] };
const { stageKit } = (await script('gpu-kit.mjs')) as { stageKit(device: string, folder: string): Promise<void> };

const MINUTES = 60_000;
const buildable = hasBash && missingTools('simt').length === 0;
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-kit-test-'));
beforeAll(async () => {
  if (buildable) await stageKit('simt', folder);
}, 10 * MINUTES);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The fault is in one kernel of one variant, and every step that runs another kernel or variant must pass. */
const PLANTED = 'pairwise_tiles<eat::cuda::TensorCoreTile';
const steps = (variant: number) => [`smoke-v${variant}-pairwise`, `table-v${variant}-pairwiseDistance`];
const check = (plant: string) =>
  runKit(folder, ['check'], {
    EAT_SIMT_PLANT: plant,
    KIT_STEP_SECONDS: '15',
    KIT_ONLY: '^(smoke-v[34]-(pairwise|neighbors)|table-v[34]-pairwise)',
  });

describe.skipIf(!buildable)('the kit', () => {
  test('has a table step for every kernel that the addon has', () => {
    const addon = createRequire(import.meta.url)(join(folder, 'app/addon/eat_dml_simt.node'));
    const no = ['info', 'uploadMatrix', 'deviceLimits', 'kernelMilliseconds', 'registerTensorflowKernels'];
    // The start of k-means is part of its rows.
    const kernels = Object.keys(addon).filter((name) => !no.includes(name) && name !== 'kmeansPlusPlus');
    const planned = readFileSync(join(folder, 'gpu-plans.sh'), 'utf8')
      .match(/^ {2}table chosen (.*)$/m)![1]
      .split(' ');
    expect(planned.sort()).toEqual(kernels.sort());
    const inTable = new Set([...distanceCases, ...attackCases].map(({ kernel }) => kernel));
    expect(kernels.filter((kernel) => !inTable.has(kernel))).toEqual([]);
  });
});

// Of the device's own kernels, under the emulator: test/gpu/run.test.ts has what else may happen.
describe.skipIf(!buildable || !LONG)('a fault planted in one kernel and variant', () => {
  test.each([
    ['hang', / TIMEOUT\(15s\) /, /case pairwiseDistance, variant 4: sqeuclidean 1x1 d=1$/, / pairwise, tiny$/],
    ['illegal_address', / LOST /, /cudaErrorIllegalAddress/, /cudaErrorIllegalAddress/],
  ])('%s costs its own steps', { timeout: 5 * MINUTES }, (fault, word, inTable, inSmoke) => {
    const { status, line, summary } = check(`${fault} ${PLANTED}`);
    const [smoke, table] = steps(4).map(line);
    expect(smoke).toMatch(word);
    expect(smoke).toMatch(inSmoke);
    expect(table).toMatch(word);
    expect(table).toMatch(inTable);
    for (const step of [...steps(3), 'smoke-v3-neighbors', 'smoke-v4-neighbors'])
      expect(line(step), step).toMatch(/ PASS /);
    expect(summary).toMatch(/\n4 passed, 2 failed, 0 skipped; /);
    expect(status).toBe(1);
  });
});
