import { expect, test } from 'vitest';
import { searchRows } from '../../src/kernels/webgpu/ball.js';
import { hasSubgroups } from '../../src/kernels/webgpu/subgroups.js';
import { normalMatrix, worstRelative } from '../kernels/support.js';
import { describeWebgpu, gpuCall } from './adapter.js';
import { CALLS } from './calls.js';

const info = (subgroupMaxSize?: number) => ({ info: { subgroupMaxSize } as never });
const features = new Set(['subgroups']);
const language = new Set(['subgroup_id']);

test('subgroups take the feature, its compiler, and none that is larger than a workgroup', () => {
  expect(hasSubgroups({ features }, info(32), language)).toBe(true);
  expect(hasSubgroups({ features }, info(64), language)).toBe(true);
  expect(hasSubgroups({ features }, info(128), language)).toBe(false);
  expect(hasSubgroups({ features }, info(), language)).toBe(false);
  expect(hasSubgroups({ features }, info(32))).toBe(false);
  expect(hasSubgroups({ features: new Set() }, info(32), language)).toBe(false);
});

/** The kernels that take them. The ends of rows are sums of float32 from which the host goes on, to a share of 1e-10 of the radius. */
const TAKING = {
  ...{ nearestCentroid: 0, nearestNeighbors: 0, kmeans: 0 },
  ...{ 'projectPerturbation 1': 1e-6, 'projectPerturbation 2': 1e-6, 'attackStep 1': 1e-6, 'attackStep 2': 1e-6 },
};

/** Where the device's search ends for each row: what the host goes on from, which makes up for some that is wrong. */
async function endsBy(subgroups: boolean, norm: number): Promise<number[]> {
  const search = { norm, inputs: { given: normalMatrix(20, 784).data }, entry: { delta: 'given[at]', x: '0.0' } };
  const ends: number[] = [];
  const add = (row: number, { value }: { value: number }) => {
    ends[row] = value;
  };
  await gpuCall((gpu) => searchRows(gpu, { ...search, cols: 784, epsilon: 0.7 }, add), { subgroups });
  return ends;
}

describeWebgpu('a kernel by subgroups gives what it gives without', () => {
  for (const [name, bound] of Object.entries(TAKING)) {
    test(name, async ({ skip }) => {
      const { device, limits } = await gpuCall(async (gpu) => gpu);
      if (!limits.subgroups) skip('the device has none');
      const programs: string[] = [];
      const create = device.createShaderModule.bind(device);
      device.createShaderModule = (descriptor) => {
        programs.push(descriptor.code);
        return create(descriptor);
      };
      const expected = await CALLS[name]({ subgroups: false });
      const without = programs.splice(0);
      const received = await CALLS[name]({});
      device.createShaderModule = create;
      expect(without.some((code) => code.includes('subgroup'))).toBe(false);
      expect(programs.some((code) => code.includes('enable subgroups;'))).toBe(true);
      for (const [i, values] of received.entries()) {
        expect(worstRelative(values, expected[i], 1e-3)).toBeLessThanOrEqual(bound);
      }
    });
  }

  test.for([1, 2])('the search in the ball of norm %i ends where it ends without', async (norm, { skip }) => {
    const { limits } = await gpuCall(async (gpu) => gpu);
    if (!limits.subgroups) skip('the device has none');
    expect(worstRelative(await endsBy(true, norm), await endsBy(false, norm))).toBeLessThan(1e-6);
  });
});
