import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classesOf, type Dataset, datasetFromArrays } from '../../src/data/dataset.js';
import { limitPerClass, partition, splitByClass, splitBySample } from '../../src/data/splits.js';

/** One pixel per image: its number, so that images can be told apart after a split. */
function numbered(labels: number[]): Dataset {
  const images = Uint8Array.from({ length: labels.length * 2 }, (_, i) => (i % 2 ? i >> 9 : (i >> 1) & 255));
  return datasetFromArrays({ images, labels, shape: [1, 2, 1] });
}

function numbersIn({ images, length }: Dataset): number[] {
  return Array.from({ length }, (_, i) => images[2 * i] + 256 * images[2 * i + 1]);
}

const labelLists = fc.array(fc.integer({ min: -3, max: 5 }), { minLength: 2, maxLength: 200 });
const seeds = fc.integer({ min: 0, max: 1000 });
const argumentError = (message: RegExp) =>
  expect.objectContaining({ name: 'EatDmlError', code: 'ERR_ARGUMENT', message: expect.stringMatching(message) });

function expectCover(data: Dataset, train: Dataset, test: Dataset): void {
  const numbers = [...numbersIn(train), ...numbersIn(test)].sort((a, b) => a - b);
  expect(numbers).toEqual(numbersIn(data));
  for (const side of [train, test]) {
    expect(numbersIn(side)).toEqual(numbersIn(side).sort((a, b) => a - b));
    expect([...side.labels]).toEqual(numbersIn(side).map((n) => data.labels[n]));
  }
}

describe('splitByClass', () => {
  test('sides share no class and hold every image', () => {
    fc.assert(
      fc.property(labelLists, seeds, (labels, seed) => {
        fc.pre(new Set(labels).size > 1);
        const data = numbered(labels);
        const split = splitByClass(data, { seed });
        expectCover(data, split.train, split.test);
        const inTrain = [...classesOf(split.train)];
        expect(inTrain).toHaveLength(classesOf(data).length >> 1);
        expect(inTrain.filter((c) => classesOf(split.test).includes(c))).toEqual([]);
      }),
    );
  });

  test('the classes asked for are trained on', () => {
    const { train, test: unseen } = splitByClass(numbered([0, 1, 2, 3, 0]), { trainClasses: [3, 0, 3] });
    expect(numbersIn(train)).toEqual([0, 3, 4]);
    expect(numbersIn(unseen)).toEqual([1, 2]);
  });

  test('the seed decides, and only the seed', () => {
    const data = numbered(Array.from({ length: 60 }, (_, i) => i % 20));
    const chosen = (seed: number) => classesOf(splitByClass(data, { seed }).train).join();
    expect(chosen(4)).toBe(chosen(4));
    expect(new Set([1, 2, 3, 4, 5].map(chosen)).size).toBe(5);
  });

  test.each([
    [{ trainClasses: [0, 9] }, /one of the classes 0, 1, 2 for trainClasses\[1\] but received 9/],
    [{ trainClasses: [] }, /1 to 2 of the 3 classes in trainClasses but received 0/],
    [{ trainClasses: [0, 1, 2] }, /1 to 2 of the 3 classes in trainClasses but received 3/],
    [{ seed: 0.5 }, /integer for seed/],
  ])('refuses %j', (options, message) => {
    expect(() => splitByClass(numbered([0, 1, 2]), options)).toThrow(argumentError(message));
  });

  test('refuses a dataset of one class', () => {
    expect(() => splitByClass(numbered([4, 4]))).toThrow(argumentError(/at least 2 classes to split but received 1/));
  });
});

describe('splitBySample', () => {
  test('takes the share of the whole and of every class', () => {
    fc.assert(
      fc.property(labelLists, fc.double({ min: 0.05, max: 0.95, noNaN: true }), seeds, (labels, testFraction, seed) => {
        const wanted = Math.round(labels.length * testFraction);
        fc.pre(wanted > 0 && wanted < labels.length);
        const data = numbered(labels);
        const split = splitBySample(data, { testFraction, seed });
        expectCover(data, split.train, split.test);
        expect(split.test.length).toBe(wanted);
        for (const label of classesOf(data)) {
          const share = labels.filter((l) => l === label).length * (wanted / labels.length);
          const got = split.test.labels.filter((l) => l === label).length;
          expect(Math.abs(got - share)).toBeLessThan(1 + 1e-9);
        }
      }),
    );
  });

  test('what rounding down leaves goes to the largest remainders, whatever the seed', () => {
    // 7 of 20: 3.5 of ten, 2.1 of six, 1.4 of four. One is left, for the ten.
    const data = numbered([...new Array(10).fill(0), ...new Array(6).fill(1), ...new Array(4).fill(2)]);
    for (let seed = 0; seed < 12; seed++) {
      const { labels } = splitBySample(data, { testFraction: 0.35, seed }).test;
      expect([0, 1, 2].map((label) => labels.filter((l) => l === label).length)).toEqual([4, 2, 1]);
    }
  });

  test('of equal remainders any class gets what is left', () => {
    // 5 of 12: 1.25 of each of four classes; the one that is left falls to each of them in turn.
    const data = numbered(Array.from({ length: 12 }, (_, i) => i % 4));
    const favoured = Array.from({ length: 24 }, (_, seed) => {
      const { labels } = splitBySample(data, { testFraction: 5 / 12, seed }).test;
      const counts = [0, 1, 2, 3].map((label) => labels.filter((l) => l === label).length);
      expect(counts.slice().sort()).toEqual([1, 1, 1, 2]);
      return counts.indexOf(2);
    });
    expect(new Set(favoured).size).toBe(4);
  });

  test('the seed decides, and only the seed', () => {
    const data = numbered(new Array(50).fill(1));
    const chosen = (seed: number) => numbersIn(splitBySample(data, { testFraction: 0.3, seed }).test).join();
    expect(chosen(1)).toBe(chosen(1));
    expect(chosen(1)).not.toBe(chosen(2));
  });

  test.each([
    [0, /in \(0, 1\)/],
    [1, /in \(0, 1\)/],
    [NaN, /in \(0, 1\)/],
    [0.01, /leaves both sides some/],
  ])('refuses the fraction %s', (testFraction, message) => {
    expect(() => splitBySample(numbered([0, 1, 2]), { testFraction })).toThrow(argumentError(message));
  });
});

describe('partition', () => {
  test('is disjoint, covers everything, in parts of equal size up to one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 12 }), seeds, (count, parts, seed) => {
        fc.pre(parts <= count);
        const cut = partition(count, parts, seed);
        expect(cut).toHaveLength(parts);
        const all = cut.flatMap((part) => [...part]).sort((a, b) => a - b);
        expect(all).toEqual(Array.from({ length: count }, (_, i) => i));
        const sizes = cut.map((part) => part.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        for (const part of cut) expect(part).toEqual(part.slice().sort());
      }),
    );
  });

  test('the parts that are larger by one are spread, the last among them', () => {
    expect(partition(11, 4, 1).map((part) => part.length)).toEqual([2, 3, 3, 3]);
    expect(partition(10, 4, 1).map((part) => part.length)).toEqual([2, 3, 2, 3]);
  });

  test('the seed decides, and only the seed', () => {
    expect(partition(40, 3, 9)).toEqual(partition(40, 3, 9));
    expect(partition(40, 3, 9)).not.toEqual(partition(40, 3, 10));
  });

  test('refuses more parts than samples', () => {
    expect(() => partition(2, 3, 0)).toThrow(argumentError(/at most 2 parts of 2 samples for parts but received 3/));
    expect(() => partition(2, 0, 0)).toThrow(argumentError(/positive integer for parts/));
    expect(() => partition(0, 1, 0)).toThrow(argumentError(/positive integer for count/));
  });
});

test('limitPerClass keeps a random few of every class in their order', () => {
  const data = numbered(Array.from({ length: 100 }, (_, i) => (i < 97 ? i % 4 : 9)));
  const few = limitPerClass(data, 5, 3);
  const counts = [...classesOf(few)].map((c) => few.labels.filter((l) => l === c).length);
  expect(counts).toEqual([5, 5, 5, 5, 3]);
  expect(numbersIn(few)).toEqual(numbersIn(few).sort((a, b) => a - b));
  expect(numbersIn(few)).not.toEqual(numbersIn(limitPerClass(data, 5, 4)));
  expect(() => limitPerClass(data, 0, 1)).toThrow(argumentError(/positive integer for perClass/));
});
