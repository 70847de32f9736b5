import { expect, test } from 'vitest';
import { allCases, someOf } from './cases/index.js';
import { describeNative, worstRelative } from './support.js';

describeNative('native agrees with the double-precision reference', () => {
  for (const { kernel, name, run, tolerance, floor } of someOf(allCases)) {
    test(`${kernel}: ${name}`, async () => {
      const [expected, received] = [await run('js'), await run('cpu')];
      for (const [result, values] of Object.entries(expected)) {
        const worst = worstRelative(received[result], values, floor);
        expect(worst, `${result} is off by ${worst} relative`).toBeLessThanOrEqual(tolerance[result] ?? 0);
      }
    });
  }
});
