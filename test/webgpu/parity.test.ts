import { expect, test } from 'vitest';
import { hasWebgpuKernel } from '../../src/kernels/webgpu/kernels.js';
import { allCases, someOf } from '../kernels/cases/index.js';
import { worstRelative } from '../kernels/support.js';
import { LONG_ON_WEBGPU } from '../long-on-webgpu.js';
import { describeWebgpu, software } from './adapter.js';

const own = allCases.filter(({ kernel }) => hasWebgpuKernel(kernel));

describeWebgpu('webgpu agrees with the double-precision reference', () => {
  for (const { kernel, name, run, tolerance, floor } of LONG_ON_WEBGPU || software === false ? own : someOf(own)) {
    test(`${kernel}: ${name}`, async () => {
      const [expected, received] = [await run('js'), await run('webgpu')];
      for (const [result, values] of Object.entries(expected)) {
        const worst = worstRelative(received[result], values, floor);
        expect(worst, `${result} is off by ${worst} relative`).toBeLessThanOrEqual(tolerance[result] ?? 0);
      }
    });
  }
});
