import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { prepareMemory } from '../../src/kernels/allocate.js';
import { loadAddon } from '../../src/kernels/load-addon.js';
import { RecycledArrays } from '../../src/tfjs/native/recycled-arrays.js';

const LENGTH = 2048;

test('an array given back is the next of its length', () => {
  const arrays = new RecycledArrays(Float32Array, 1e6);
  const first = arrays.take(LENGTH);
  expect(arrays.take(LENGTH)).not.toBe(first);
  arrays.give(first);
  expect(arrays.take(LENGTH + 1)).not.toBe(first);
  expect(arrays.take(LENGTH)).toBe(first);
  expect(arrays.take(LENGTH)).not.toBe(first);
});

test('batches that differ in length from step to step lie in the same memory before long', () => {
  const arrays = new RecycledArrays(Float32Array, 1e9);
  const seen = new Set<ArrayBufferLike>();
  const made = Array.from({ length: 60 }, (_, step) => {
    // 31 to 60 images, and half of them.
    const images = 31 + ((step * 11) % 30);
    const taken = [images, Math.floor(images / 2)].map((rows) => arrays.take(rows * 1000));
    expect(taken.map(({ length }) => length)).toEqual([images * 1000, Math.floor(images / 2) * 1000]);
    const fresh = taken.filter(({ buffer }) => !seen.has(buffer)).length;
    for (const array of taken) {
      seen.add(array.buffer);
      arrays.give(array);
    }
    return fresh;
  });
  expect(made.slice(16).reduce((sum, fresh) => sum + fresh, 0)).toBe(0);
  expect([...seen].every(({ byteLength }) => byteLength <= 4 * 65_536 + 64)).toBe(true);
});

test('arrays begin with a line of the cache, when used again, too', () => {
  const arrays = new RecycledArrays(Float32Array, 1e9);
  for (const length of [LENGTH, LENGTH + 3, 3_000_000]) {
    const [first, second] = [arrays.take(length), arrays.take(length)];
    for (const { buffer, byteOffset } of [first, second]) expect(byteOffset).toBe(prepareMemory(buffer));
    second.fill(2);
    arrays.give(first);
    const again = arrays.take(length - 1);
    expect([again.buffer, again.byteOffset, again.length]).toEqual([first.buffer, first.byteOffset, length - 1]);
    again.fill(1);
    expect(second.every((value) => value === 2)).toBe(true);
  }
});

test.skipIf(process.platform !== 'linux' || loadAddon() === undefined)(
  'malloc does not begin with lines by itself, and large arrays are in pages that may be huge',
  () => {
    const arrays = new RecycledArrays(Float32Array, 1e9);
    // malloc of Linux maps so large a block by itself, behind a header of 16 bytes.
    const large = arrays.take(20_000_000);
    expect(large.byteOffset).toBeGreaterThan(0);
    expect(large.byteOffset).toBeLessThan(64);
    if (!existsSync('/sys/kernel/mm/transparent_hugepage')) return;
    const mappings = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
    const advised = mappings.filter((text) => /^VmFlags:.* hg\b/m.test(text));
    const kilobytes = advised.map((text) => Number(/^Size: +(\d+)/m.exec(text)![1]));
    expect(kilobytes.reduce((sum, size) => sum + size, 0) * 1024).toBeGreaterThan(large.byteLength - 2 * 2 ** 21);
  },
);

test('an array that somebody else has seen, or that came from elsewhere, is not used again', () => {
  const arrays = new RecycledArrays(Float32Array, 1e6);
  const seen = arrays.take(LENGTH);
  arrays.expose(seen);
  arrays.give(seen);
  const foreign = new Float32Array(LENGTH);
  arrays.give(foreign);
  arrays.give(seen.subarray(0, 1500));
  arrays.give(undefined);
  const taken = [arrays.take(LENGTH), arrays.take(LENGTH), arrays.take(1500)];
  expect(taken).not.toContain(seen);
  expect(taken).not.toContain(foreign);
});

test('small arrays are fresh', () => {
  const arrays = new RecycledArrays(Float32Array, 1e6);
  const small = arrays.take(10);
  arrays.give(small);
  expect(arrays.take(10)).not.toBe(small);
});

test('no more is kept than allowed', () => {
  const arrays = new RecycledArrays(Float32Array, LENGTH * 4 * 2);
  const taken = Array.from({ length: 5 }, () => arrays.take(LENGTH));
  for (const array of taken) arrays.give(array);
  const again = new Set(Array.from({ length: 5 }, () => arrays.take(LENGTH)));
  expect(taken.filter((array) => again.has(array)).length).toBeLessThanOrEqual(2);
});

test('an array of a length that nobody asks for any more is let go, others are kept', () => {
  const arrays = new RecycledArrays(Float32Array, 1e6);
  const [stale, used] = [arrays.take(LENGTH + 1), arrays.take(LENGTH)];
  arrays.give(stale);
  arrays.give(used);
  const passes = (count: number) => {
    for (let i = 0; i < count; i++) arrays.give(arrays.take(LENGTH));
  };
  passes(8_000);
  expect(arrays.take(LENGTH + 1)).toBe(stale);
  arrays.give(stale);
  passes(20_000);
  expect(arrays.take(LENGTH)).toBe(used);
  expect(arrays.take(LENGTH + 1)).not.toBe(stale);
});
