import { expect, test } from 'vitest';
import { firstPyramids, moveMass } from '../../src/attacks/rules/square-l2.js';
import { randomStream } from '../../src/random.js';

test('an image has more values than a call may have arguments', () => {
  const patch = { delta: new Float32Array(224 * 224 * 3), shape: [224, 224, 3] as const };
  const length = () => Math.sqrt(patch.delta.reduce((sum, value) => sum + value * value, 0));
  firstPyramids(patch, 2, randomStream(1, 'square'));
  expect(length()).toBeCloseTo(2, 5);
  moveMass(patch, 200, 2, randomStream(2, 'square'));
  expect(length()).toBeLessThanOrEqual(2 + 1e-5);
});
