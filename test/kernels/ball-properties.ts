import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { attackStepSync, type DeviceName, type Norm, projectPerturbationSync } from '../../src/kernels/index.js';

export const size = (norm: Norm, v: number[]): number =>
  norm === 'linf'
    ? v.reduce((m, x) => Math.max(m, Math.abs(x)), 0)
    : norm === 'l2'
      ? Math.sqrt(v.reduce((s, x) => s + x * x, 0))
      : v.reduce((s, x) => s + Math.abs(x), 0);

const float = fc.float({ min: -4, max: 4, noNaN: true });
const pixel = fc.float({ min: 0, max: 1, noNaN: true });
export const epsilon = fc.oneof(
  fc.double({ min: 0, max: 3, noNaN: true }),
  fc.constantFrom(0, 0.1, 8 / 255, 1e-6, 1e-30),
);
export const norms = fc.constantFrom<Norm>('linf', 'l2', 'l1');
export const rows = fc.integer({ min: 1, max: 40 }).chain((d) =>
  fc.record({
    delta: fc.array(float, { minLength: d, maxLength: d }),
    x: fc.array(pixel, { minLength: d, maxLength: d }),
    g: fc.array(float, { minLength: d, maxLength: d }),
  }),
);
const row = (values: number[]) => ({ data: Float32Array.from(values), rows: 1, cols: values.length });

/** The properties of projections and steps, for one device. */
export function ballProperties(device: DeviceName): void {
  test('a projection never leaves the ball or the box, and moves nothing that is inside', () => {
    fc.assert(
      fc.property(rows, epsilon, norms, ({ delta, x }, epsilon, norm) => {
        const free = [...projectPerturbationSync(row(delta), { norm, epsilon, device }).data];
        expect(size(norm, free)).toBeLessThanOrEqual(epsilon);
        if (size(norm, delta) <= epsilon) expect(free.map(Math.fround)).toEqual(delta.map(Math.fround));
        const boxed = [...projectPerturbationSync(row(delta), { norm, epsilon, around: row(x), device }).data];
        expect(size(norm, boxed)).toBeLessThanOrEqual(epsilon);
        for (const [i, d] of boxed.entries()) {
          const moved = Math.fround(Math.fround(x[i]) + d);
          expect(moved >= 0 && moved <= 1).toBe(true);
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test('projecting twice is projecting once', () => {
    fc.assert(
      fc.property(rows, epsilon, norms, ({ delta }, epsilon, norm) => {
        const once = projectPerturbationSync(row(delta), { norm, epsilon, device });
        expect(projectPerturbationSync(once, { norm, epsilon, device }).data).toEqual(once.data);
      }),
      { numRuns: 200, seed: 2 },
    );
  });

  test('a radius of 0 or near the least number there is ends too', () => {
    for (const epsilon of [0, 5e-324, 1e-320]) {
      for (const norm of ['l1', 'l2'] as const) {
        const step = {
          origin: row([0, 0.5, 1]),
          current: row([0, 0.5, 1]),
          gradient: row([1, -1, 0]),
          norm,
          epsilon,
          device,
        };
        for (const stepSize of [1e-323, 1e-320, 0.1]) {
          for (const box of [undefined, [0, 1] as [number, number]]) {
            expect([...attackStepSync({ ...step, stepSize, box }).data]).toEqual([0, 0.5, 1]);
          }
        }
      }
    }
  });

  test('a step never leaves the ball or the box', () => {
    fc.assert(
      fc.property(rows, epsilon, norms, fc.boolean(), ({ delta, x, g }, epsilon, norm, boxed) => {
        const origin = row(x);
        const current = row(x.map((v, i) => v + delta[i]));
        const box = boxed ? ([0, 1] as [number, number]) : undefined;
        const o = { origin, current, gradient: row(g), norm, epsilon, stepSize: 0.25, box, device };
        const { data } = attackStepSync(o);
        expect(
          size(
            norm,
            [...data].map((v, i) => v - origin.data[i]),
          ),
        ).toBeLessThanOrEqual(epsilon);
        if (boxed) expect(data.every((v) => v >= 0 && v <= 1)).toBe(true);
      }),
      { numRuns: 300, seed: 3 },
    );
  });
}
