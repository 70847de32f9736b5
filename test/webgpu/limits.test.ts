import { expect, test } from 'vitest';
import type { GpuLimits } from '../../src/kernels/webgpu/run.js';
import { describeWebgpu } from './adapter.js';
import { CALLS } from './calls.js';

/** A binding that holds few rows; few workgroups; little work at a time; memory and threads for the smallest tile. */
const LOWER: Record<string, Partial<GpuLimits>> = {
  'small bindings': { binding: 4096 },
  'few workgroups': { workgroups: 2 },
  'little work at a time': { operations: 20_000 },
  'small tiles': { shared: 8192, invocations: 64 },
  'all of them': { binding: 4096, workgroups: 2, operations: 20_000, shared: 8192, invocations: 64 },
};

describeWebgpu('the bits of a result do not depend on what the device can hold', () => {
  for (const [name, call] of Object.entries(CALLS)) {
    test(name, async () => {
      const whole = await call({});
      for (const [limit, lower] of Object.entries(LOWER)) expect(await call(lower), limit).toEqual(whole);
    });
  }
});
