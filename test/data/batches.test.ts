import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { balancedBatches, uniformBatches } from '../../src/data/batches.js';

const argumentError = (message: RegExp) =>
  expect.objectContaining({ name: 'EatDmlError', code: 'ERR_ARGUMENT', message: expect.stringMatching(message) });
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('balancedBatches', () => {
  const cases = fc
    .tuple(
      fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 120 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(50),
    )
    .filter(([labels, classes]) => classes <= new Set(labels).size);

  test('every batch holds P classes with K images each, distinct where the class has K', () => {
    fc.assert(
      fc.property(cases, ([labels, classes, images, seed]) => {
        for (const batch of balancedBatches({ labels, classes, images, seed, epoch: 1 })) {
          expect(batch).toHaveLength(classes * images);
          const groups = upTo(classes).map((c) => [...batch.slice(c * images, (c + 1) * images)]);
          expect(new Set(groups.map((group) => labels[group[0]])).size).toBe(classes);
          for (const group of groups) {
            const label = labels[group[0]];
            expect(group.every((i) => labels[i] === label)).toBe(true);
            const available = labels.filter((l) => l === label).length;
            expect(new Set(group).size).toBe(Math.min(images, available));
          }
        }
      }),
    );
  });

  test('one epoch shows every sample, in as many batches as documented', () => {
    fc.assert(
      fc.property(cases, ([labels, classes, images, seed]) => {
        const batches = balancedBatches({ labels, classes, images, seed, epoch: 0 });
        expect(new Set(batches.flatMap((batch) => [...batch])).size).toBe(labels.length);
        const groups = [...new Set(labels)].map((c) => Math.ceil(labels.filter((l) => l === c).length / images));
        const total = groups.reduce((sum, n) => sum + n, 0);
        expect(batches).toHaveLength(Math.max(Math.ceil(total / classes), ...groups));
      }),
    );
  });

  test('with equal classes that K and P divide, every sample occurs exactly once', () => {
    const labels = upTo(120).map((i) => i % 6);
    const seen = balancedBatches({ labels, classes: 4, images: 5, seed: 2, epoch: 0 }).flatMap((b) => [...b]);
    expect(seen.sort((a, b) => a - b)).toEqual(upTo(120));
  });

  test('small classes are not left to the end of the epoch', () => {
    const labels = upTo(48).map((i) => (i < 40 ? 0 : 1));
    const firstClass = (epoch: number) =>
      labels[balancedBatches({ labels, classes: 1, images: 4, seed: 1, epoch })[0][0]];
    const small = upTo(60).filter((epoch) => firstClass(epoch) === 1).length;
    // 2 of the 12 batches are of the small class: 10 of 60 epochs expected to begin with one.
    expect(small).toBeGreaterThan(2);
    expect(small).toBeLessThan(22);
  });

  test('seed and epoch decide, and nothing else', () => {
    const batches = (seed: number, epoch: number) =>
      balancedBatches({ labels: upTo(60).map((i) => i % 5), classes: 3, images: 4, seed, epoch });
    expect(batches(1, 1)).toEqual(batches(1, 1));
    expect(batches(1, 1)).not.toEqual(batches(1, 2));
    expect(batches(1, 1)).not.toEqual(batches(2, 1));
  });

  test.each([
    [{ classes: 3 }, /at most the 2 classes that the labels hold for classes but received 3/],
    [{ classes: 0 }, /positive integer for classes/],
    [{ images: 1.5 }, /positive integer for images/],
    [{ labels: [0, NaN] }, /labels\[1\] but received NaN/],
    [{ labels: [] }, /at most the 0 classes/],
    [{ seed: NaN }, /integer for seed/],
    [{ epoch: -1 }, /integer >= 0 for epoch/],
  ])('refuses %j', (change, message) => {
    const options = { labels: [0, 0, 1], classes: 2, images: 2, seed: 0, epoch: 0, ...change };
    expect(() => balancedBatches(options)).toThrow(argumentError(message));
  });
});

describe('uniformBatches', () => {
  test('every sample exactly once, the last batch smaller', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 60 }),
        fc.nat(9),
        (count, size, epoch) => {
          const batches = uniformBatches({ count, size, seed: 3, epoch });
          expect(batches.flatMap((b) => [...b]).sort((a, b) => a - b)).toEqual(upTo(count));
          for (const batch of batches.slice(0, -1)) expect(batch).toHaveLength(size);
          expect(batches.at(-1)).toHaveLength(count % size || size);
        },
      ),
    );
  });

  test('drop leaves out only the partial batch', () => {
    const options = { count: 10, size: 4, seed: 0, epoch: 0 };
    expect(uniformBatches({ ...options, last: 'drop' })).toEqual(uniformBatches(options).slice(0, 2));
    const whole = { ...options, size: 5 };
    expect(uniformBatches({ ...whole, last: 'drop' })).toEqual(uniformBatches(whole));
  });

  test('seed and epoch decide', () => {
    const batches = (seed: number, epoch: number) => uniformBatches({ count: 50, size: 7, seed, epoch });
    expect(batches(1, 1)).toEqual(batches(1, 1));
    expect(batches(1, 1)).not.toEqual(batches(1, 2));
    expect(batches(1, 1)).not.toEqual(batches(2, 1));
  });

  test.each([
    [{ count: 0 }, /positive integer for count/],
    [{ size: -1 }, /positive integer for size/],
    [{ size: 11, last: 'drop' as const }, /at most the 10 samples when last is drop for size but received 11/],
    [{ last: 'merge' as 'keep' }, /one of keep, drop for last but received "merge"/],
    [{ epoch: 0.5 }, /integer >= 0 for epoch/],
  ])('refuses %j', (change, message) => {
    expect(() => uniformBatches({ count: 10, size: 4, seed: 0, epoch: 0, ...change })).toThrow(argumentError(message));
  });
});
