import { expect, test } from 'vitest';
import {
  argReduce,
  compareValues,
  gather,
  logical,
  oneHot,
  segmentSum,
  select,
  softmax,
  topK,
} from './network/by-device.js';
import { testDevices } from './support.js';

const x = Float32Array.of(1, 2, 3, 4, 5, 6);
const wrong = (value: unknown) => value as never;

test.each<[string, () => unknown, string]>([
  [
    'an index that is out of range',
    () => gather({ x, indices: Int32Array.of(0, 3), size: 3, inner: 2, count: 2 }),
    'Expected indices in [0, 3) but received 3 at 1.',
  ],
  [
    'indices of another type',
    () => oneHot({ indices: wrong([1, 2]), rows: 2, depth: 3 }),
    'Expected an Int32Array of length 2 for indices but received [1, 2].',
  ],
  [
    'too few ids',
    () => segmentSum({ x, ids: Int32Array.of(0), rows: 3, inner: 2, segments: 2 }),
    'Expected an Int32Array of length 3 for ids but received a Int32Array of length 1.',
  ],
  ['more than there are', () => topK({ x, rows: 2, cols: 3, k: 4 }), 'Expected at most 3 for k but received 4.'],
  [
    'conditions of another length',
    () => select({ condition: new Uint8Array(2), t: x, e: x, rows: 6 }),
    'Expected a Uint8Array of length 6 for condition but received a Uint8Array of length 2.',
  ],
  [
    'one flag list for and',
    () => logical({ op: 'and', a: new Uint8Array(2) }),
    'Expected a Uint8Array of length 2 for b but received undefined.',
  ],
  [
    'an unknown operation',
    () => argReduce({ op: wrong('mean'), x, outer: 1, reduced: 6, inner: 1 }),
    'Expected one of max, min for op but received "mean".',
  ],
  [
    'a shape that does not fit',
    () => softmax({ x, rows: 2, cols: 2 }),
    'Expected a Float32Array of length 4 for x but received a Float32Array of length 6.',
  ],
])('%s is refused', (_, call, message) => {
  expect(call).toThrow(message);
});

test.each(testDevices)('values by hand on %s', (device) => {
  const indices = Int32Array.of(2, 0);
  const sizes = { size: 3, inner: 2, count: 2 };
  expect([...gather({ x, indices, ...sizes, device })]).toEqual([5, 6, 1, 2]);
  const top = topK({ x, rows: 2, cols: 3, k: 2, device });
  expect([...top.values, ...top.indices]).toEqual([3, 2, 6, 5, 2, 1, 2, 1]);
  const strides = { shape: [1, 1, 1, 6], aStrides: [0, 0, 0, 1], bStrides: [0, 0, 0, 0] };
  const greater = compareValues({ op: 'greater', a: x, b: Float32Array.of(3), ...strides, device });
  expect([...greater]).toEqual([0, 0, 0, 1, 1, 1]);
  const shares = softmax({ x: new Float32Array(4), rows: 1, cols: 4, device });
  expect([...shares]).toEqual([0.25, 0.25, 0.25, 0.25]);
});

test.each(testDevices)('results go where asked on %s', (device) => {
  const values = new Float32Array(4);
  const out = { values, indices: new Int32Array(4) };
  expect(topK({ x, rows: 2, cols: 3, k: 2, out, device }).values).toBe(values);
  const own = x.slice();
  expect(softmax({ x: own, rows: 2, cols: 3, out: own, device })).toBe(own);
  expect(own[0] + own[1] + own[2]).toBeCloseTo(1, 6);
});
