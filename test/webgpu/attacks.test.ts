import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { attackStep, type Matrix, projectPerturbation } from '../../src/kernels/index.js';
import { boxBounds, UNBOUNDED } from '../../src/kernels/reference/ball.js';
import { newton, searchRows } from '../../src/kernels/webgpu/ball.js';
import type { Gpu } from '../../src/kernels/webgpu/run.js';
import { epsilon, norms, rows, size } from '../kernels/ball-properties.js';
import { images } from '../kernels/cases/attacks.js';
import { normalMatrix } from '../kernels/support.js';
import { describeWebgpu, gpuCall } from './adapter.js';

const row = (values: number[]): Matrix => ({ data: Float32Array.from(values), rows: 1, cols: values.length });
const device = 'webgpu' as const;

/** What ball-properties.ts asks of the synchronous forms. */
describeWebgpu('projections and steps on webgpu', () => {
  test('never leave the ball or the box, and move nothing that is inside', async () => {
    await fc.assert(
      fc.asyncProperty(rows, epsilon, norms, async ({ delta, x }, epsilon, norm) => {
        const free = [...(await projectPerturbation(row(delta), { norm, epsilon, device })).data];
        expect(size(norm, free)).toBeLessThanOrEqual(epsilon);
        if (size(norm, delta) <= epsilon) expect(free.map(Math.fround)).toEqual(delta.map(Math.fround));
        expect([...(await projectPerturbation(row(free), { norm, epsilon, device })).data]).toEqual(free);
        const boxed = [...(await projectPerturbation(row(delta), { norm, epsilon, around: row(x), device })).data];
        expect(size(norm, boxed)).toBeLessThanOrEqual(epsilon);
        for (const [i, d] of boxed.entries()) {
          const moved = Math.fround(Math.fround(x[i]) + d);
          expect(moved >= 0 && moved <= 1).toBe(true);
        }
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test('a step never leaves the ball or the box', async () => {
    await fc.assert(
      fc.asyncProperty(rows, epsilon, norms, fc.boolean(), async ({ delta, x, g }, epsilon, norm, boxed) => {
        const origin = row(x);
        const current = row(x.map((v, i) => v + delta[i]));
        const box = boxed ? ([0, 1] as [number, number]) : undefined;
        const o = { origin, current, gradient: row(g), norm, epsilon, stepSize: 0.25, box, device };
        const { data } = await attackStep(o);
        const moved = [...data].map((v, i) => v - origin.data[i]);
        expect(size(norm, moved)).toBeLessThanOrEqual(epsilon);
        if (boxed) expect(data.every((v) => v >= 0 && v <= 1)).toBe(true);
      }),
      { numRuns: 150, seed: 3 },
    );
  });

  const searches = (['l2', 'l1'] as const).flatMap((norm) =>
    [false, true].flatMap((boxed) => [false, true].map((subgroups) => [norm, boxed, subgroups] as const)),
  );
  const title = 'the search for %s ends where the host can finish it, box: %s, subgroups: %s';
  test.for(searches)(title, async ([norm, boxed, subgroups], { skip }) => {
    const { limits } = await gpuCall(async (gpu) => gpu);
    if (subgroups && !limits.subgroups) skip('the device has none');
    const [given, around] = [normalMatrix(20, 784), images(20, 784)];
    let ended = 0;
    const entry = { delta: 'given[at]', x: boxed ? 'around[at]' : '0.0' };
    const inputs = { given: given.data, ...(boxed && { around: around.data }) };
    const box = boxed ? { box: [0, 1] as [number, number] } : {};
    const search = { norm: norm === 'l2' ? 1 : 2, inputs, entry, cols: 784, epsilon: 0.7, ...box };
    const ends = (gpu: Gpu) =>
      searchRows(gpu, search, (i, start) => {
        const bounds = boxed ? boxBounds(around.data, i * 784, 0, 1) : UNBOUNDED;
        const clip = (v: number, at: number) => Math.min(Math.max(v, bounds.low(at)), bounds.high(at));
        const delta = Float64Array.from(given.data.subarray(i * 784, (i + 1) * 784));
        if (newton(start, norm, delta, 0.7, clip)) ended++;
      });
    await gpuCall(ends, { subgroups });
    expect(ended).toBe(20);
  });
});
