import { expect, test } from 'vitest';
import { loadAddon } from '../../src/kernels/load-addon.js';
import { describeNative } from './support.js';

describeNative('the addon, called past the checks', () => {
  test('takes integers for integers only', () => {
    const { unary: run } = loadAddon() as unknown as Record<string, (args: object, async: boolean) => void>;
    for (const size of [Number.NaN, Infinity, 1e300, 0.5]) {
      const call = () => run({ op: 0, size, x: new Float32Array(1), out: new Float32Array(1) }, false);
      expect(call).toThrow('Expected an integer for size.');
    }
  });
});
