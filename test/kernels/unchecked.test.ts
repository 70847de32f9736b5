import { describe, expect, test } from 'vitest';
import { attackStepSync, type Norm, projectPerturbationSync } from '../../src/kernels/index.js';
import { testDevices } from './support.js';

/** Without the scan for values that are not finite a result may be anything, but a call ends, and other rows are right. */
describe.each(testDevices)('%s, unchecked', (device) => {
  const BAD = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const norms: Norm[] = ['linf', 'l2', 'l1'];
  const each = norms.flatMap((norm) => BAD.map((bad) => [norm, bad] as const));

  test.each(each)('a projection in %s ends on %d', (norm, bad) => {
    const delta = { data: Float32Array.of(bad, 1, -1, 1, 1, -1), rows: 2, cols: 3 };
    for (const around of [undefined, { ...delta, data: Float32Array.of(0.5, 0.5, 0.5, 0.5, 0.5, 0.5) }]) {
      const options = { norm, epsilon: 0.5, checkFinite: false, device, ...(around && { around }) };
      const sound = { data: delta.data.slice(3), rows: 1, cols: 3 };
      const alone = { ...options, ...(around && { around: { ...sound, data: around.data.slice(3) } }) };
      const { data } = projectPerturbationSync(delta, options);
      expect(data.slice(3)).toEqual(projectPerturbationSync(sound, alone).data);
    }
  });

  test.each(each)('a step in %s ends on %d', (norm, bad) => {
    const origin = { data: new Float32Array(6).fill(0.5), rows: 2, cols: 3 };
    for (const place of ['current', 'gradient'] as const) {
      const given = { origin, current: { ...origin }, gradient: { ...origin } };
      given[place] = { ...origin, data: Float32Array.of(bad, 0.5, 0.5, 0.5, 0.5, 0.5) };
      const { data } = attackStepSync({ ...given, norm, epsilon: 0.2, stepSize: 0.1, checkFinite: false, device });
      const sound = { data: new Float32Array(3).fill(0.5), rows: 1, cols: 3 };
      const matrices = { origin: sound, current: sound, gradient: sound };
      const alone = attackStepSync({ ...matrices, norm, epsilon: 0.2, stepSize: 0.1, device });
      expect(data.slice(3)).toEqual(alone.data);
    }
  });
});
