import { expect, test } from 'vitest';
import { attackStep, kmeans, type Norm, projectPerturbation } from '../../src/kernels/index.js';
import kmeansGoldens from '../goldens/kmeans.json' with { type: 'json' };
import opsGoldens from '../goldens/ops.json' with { type: 'json' };
import projectionGoldens from '../goldens/projections.json' with { type: 'json' };
import { conv2d, conv2dBackpropFilter, conv2dBackpropInput } from './network/by-device.js';
import { matrixOf, testDevices, worstRelative } from './support.js';

for (const device of testDevices) {
  for (const [i, golden] of kmeansGoldens.cases.entries()) {
    test(`kmeans agrees with scikit-learn, case ${i}, ${device}`, async () => {
      const { maxIterations } = golden;
      const result = await kmeans(matrixOf(golden.points), { init: matrixOf(golden.init), maxIterations, device });
      expect([...result.labels]).toEqual(golden.labels);
      expect(worstRelative(result.centroids.data, golden.centroids.flat(), 1e-2)).toBeLessThan(1e-5);
      expect(worstRelative([result.inertia], [golden.inertia])).toBeLessThan(1e-5);
      expect(result.iterations).toBe(golden.iterations);
      expect(result.converged).toBe(true);
    });
  }

  for (const [i, golden] of projectionGoldens.cases.entries()) {
    test(`projections agree with the exact ones, case ${i}, ${device}`, async () => {
      const { epsilon } = golden;
      const [delta, x] = [matrixOf([golden.delta]), matrixOf([golden.x])];
      for (const norm of ['linf', 'l2', 'l1'] as Norm[]) {
        const free = await projectPerturbation(delta, { norm, epsilon, device });
        expect(worstRelative(free.data, golden[norm as 'l2'], 1e-2 * epsilon)).toBeLessThan(1e-5);
        const boxed = await projectPerturbation(delta, { norm, epsilon, around: x, box: [0, 1], device });
        expect(worstRelative(boxed.data, golden[`${norm}Box` as 'l2Box'], 1e-2 * epsilon)).toBeLessThan(1e-5);
      }
    });

    test(`an attack step without a gradient is the projection, case ${i}, ${device}`, async () => {
      const { epsilon } = golden;
      const origin = matrixOf([golden.x]);
      const current = { ...origin, data: origin.data.map((x, j) => x + golden.delta[j]) };
      const gradient = { ...origin, data: new Float32Array(origin.data.length) };
      for (const norm of ['linf', 'l2', 'l1'] as Norm[]) {
        const box: [number, number] = [0, 1];
        const { data } = await attackStep({ origin, current, gradient, norm, epsilon, stepSize: 0.1, box, device });
        const expected = golden[`${norm}Box` as 'l2Box'].map((d, j) => golden.x[j] + d);
        expect(worstRelative(data, expected, 1)).toBeLessThan(1e-6);
      }
    });
  }

  for (const [i, golden] of device === 'cuda' || device === 'webgpu' ? [] : opsGoldens.cases.entries()) {
    test(`conv2d and its gradients agree with torch, case ${i}, ${device}`, async () => {
      const { geometry, x, filter, dy } = convolution(golden);
      const y = conv2d({ geometry, input: x, filter, device });
      const dx = conv2dBackpropInput({ geometry, dy, filter, device });
      const dfilter = conv2dBackpropFilter({ geometry, input: x, dy, device });
      expect(worstRelative(y, golden.y.flat(3), 1)).toBeLessThan(1e-5);
      expect(worstRelative(dx, golden.dx.flat(3), 1)).toBeLessThan(1e-5);
      expect(worstRelative(dfilter, golden.dfilter.flat(3), 1)).toBeLessThan(1e-5);
    });
  }
}

/** A 'same' convolution of the golden file, its arrays flat. */
function convolution(golden: (typeof opsGoldens.cases)[number]) {
  const { stride } = golden;
  const [batch, inHeight, inWidth, inChannels] = shapeOf(golden.x);
  const [filterHeight, filterWidth, , outChannels] = shapeOf(golden.filter);
  const [, outHeight, outWidth] = shapeOf(golden.y);
  const before = (out: number, size: number, filter: number) => Math.max(0, (out - 1) * stride + filter - size) >> 1;
  const geometry = {
    batch,
    inHeight,
    inWidth,
    inChannels,
    outHeight,
    outWidth,
    outChannels,
    filterHeight,
    filterWidth,
    strideHeight: stride,
    strideWidth: stride,
    padTop: before(outHeight, inHeight, filterHeight),
    padLeft: before(outWidth, inWidth, filterWidth),
    dilationHeight: 1,
    dilationWidth: 1,
  };
  const flat = (values: number[][][][]) => Float32Array.from(values.flat(3));
  return { geometry, x: flat(golden.x), filter: flat(golden.filter), dy: flat(golden.dy) };
}

function shapeOf(values: unknown): number[] {
  return Array.isArray(values) ? [values.length, ...shapeOf(values[0])] : [];
}
