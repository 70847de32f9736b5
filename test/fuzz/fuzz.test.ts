import { expect, test } from 'vitest';
import { EatDmlError } from '../../src/errors.js';
import * as kernels from '../../src/kernels/index.js';
import * as network from '../../src/kernels/network/index.js';
import { hasCpu } from '../kernels/support.js';
import { fuzz } from './fuzz.js';
import { FAMILIES } from './mutations/index.js';
import { type Expected, equal, fault, isPromised, sentenceAbout } from './outcome.js';
import { startScribbler } from './scribbler.js';
import { targets } from './targets.js';

test('every function that takes arguments is fuzzed', () => {
  const functions = Object.entries({ ...kernels, ...network }).filter(([, value]) => typeof value === 'function');
  const names = functions.map(([name]) => name.replace(/Sync$/, ''));
  expect(new Set(targets.map(({ name }) => name))).toEqual(new Set(names.filter((name) => name !== 'devices')));
});

/** `npm run test:fuzz` makes 50,000 of them on the addon under sanitizers. */
test('2,000 hostile calls do what is promised', async () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown) => rejections.push(reason);
  process.on('unhandledRejection', note);
  const scribbler = startScribbler();
  const said: string[] = [];
  try {
    const report = await fuzz({
      ...{ seed: 1, calls: 2000, devices: hasCpu ? ['cpu', 'js'] : ['js'], scribbler },
      onCall: (description) => said.push(description),
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(report.failures).toEqual([]);
    expect(rejections).toEqual([]);
    // Neither all refused nor all let through.
    expect(Math.min(report.returned, report.refused)).toBeGreaterThan(500);
  } finally {
    process.off('unhandledRejection', note);
    await scribbler.end();
  }
  const unused = FAMILIES.flat().filter(({ name }) => !said.some((call) => call.includes(`: ${name}`)));
  expect(unused).toEqual([]);
});

test('a call depends on the seed and its number alone', async () => {
  const calls = async (from: number, count: number) => {
    const said: string[] = [];
    await fuzz({ seed: 3, from, calls: count, devices: ['js'], onCall: (description) => said.push(description) });
    return said;
  };
  expect((await calls(0, 60)).slice(40)).toEqual(await calls(40, 20));
});

test('an outcome that is not promised is seen', () => {
  const target = targets.find(({ name }) => name === 'softmax')!;
  const expected = (meaning: Expected['meaning'], abortable = false): Expected => {
    return { target, meaning, abortable, result: () => Float32Array.of(1, Number.NaN) };
  };
  const error = (code: 'ERR_ARGUMENT' | 'ERR_ABORTED', message: string) => ({ error: new EatDmlError(code, message) });
  const sentence = error('ERR_ARGUMENT', 'Expected a Float32Array for x but received null.');
  expect(fault(sentence, expected('any'))).toBeUndefined();
  expect(fault(sentence, expected('right'))).toBeUndefined();
  expect(fault(sentence, expected('same'))).toMatch(/^wrong: a call that is right was refused/);
  expect(fault({ error: new TypeError("Cannot read properties of undefined (reading 'x')") }, expected('any'))).toMatch(
    /^foreign/,
  );
  expect(fault({ error: new Error('Expected a Float32Array for x') }, expected('any'))).toMatch(/^foreign/);
  expect(fault({ error: undefined }, expected('any'))).toMatch(/^foreign/);
  const aborted = error('ERR_ABORTED', 'The operation was aborted.');
  expect(fault(aborted, expected('same', true))).toBeUndefined();
  expect(fault(aborted, expected('any'))).toMatch(/^wrong: aborted by nobody/);
  expect(fault({ value: Float32Array.of(1, Number.NaN) }, expected('same'))).toBeUndefined();
  expect(fault({ value: Float32Array.of(1, 2) }, expected('right'))).toBe('wrong: a result that differs');
  expect(fault({ value: Float32Array.of(1, 2) }, expected('any'))).toBeUndefined();
});

test('a name is a name where it stands as one', () => {
  const names = sentenceAbout(['a', 'out']);
  const says = (message: string) => isPromised(new TypeError(message), names);
  for (const message of [
    'Expected a number for a.',
    'Expected a to lie apart',
    'Expected x under a.data',
    'for out but',
  ]) {
    expect(says(message)).toBe(true);
  }
  for (const message of ['this is not a typed array.', 'Expected a number.', 'Invalid array length', 'for output']) {
    expect(says(message)).toBe(false);
  }
});

test('results are equal to the bit', () => {
  const result = () => ({
    labels: Int32Array.of(1),
    inertia: Number.NaN,
    centroids: { data: Float32Array.of(0), rows: 1 },
  });
  expect(equal(result(), result())).toBe(true);
  expect(equal(result(), { ...result(), inertia: 0 })).toBe(false);
  expect(equal(result(), { ...result(), centroids: { data: Float32Array.of(-0), rows: 1 } })).toBe(false);
  const gone = Float32Array.of(1);
  structuredClone(gone, { transfer: [gone.buffer] });
  expect(equal(gone, new Float32Array(0))).toBe(false);
});
