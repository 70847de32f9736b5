import { describe, expect, test } from 'vitest';
import { emojiClasses } from '../../../src/data/sets/emoji-classes.js';
import { withoutPresentation } from '../../../src/data/sets/emoji-packages.js';

interface Made {
  codes: Map<string, string>;
  icons: Map<string, unknown>;
}

/** A set that tells code points. */
function coded(codes: Record<string, string>, icons = Object.values(codes)): Made {
  return { codes: new Map(Object.entries(codes)), icons: new Map(icons.map((name) => [name, {}])) };
}

/** A set that has names alone. */
function named(...icons: string[]): Made {
  return { codes: new Map(), icons: new Map(icons.map((name) => [name, {}])) };
}

const times = (count: number, make: () => Made) => Array.from({ length: count }, make);
const drawn = (sets: Made[]) =>
  emojiClasses(sets).drawings.map(({ label, set, icon }) => [label, sets.indexOf(set), icon]);

describe('an emoji is a class', () => {
  test('from eight drawings on', () => {
    const five = times(5, () => coded({ a: 'apple' }));
    expect(emojiClasses([...five, ...times(2, () => named('apple')), named('pear')]).codes).toEqual([]);
    expect(emojiClasses([...five, ...times(3, () => named('apple')), named('pear')]).codes).toEqual(['a']);
  });

  test('where all draw it that tell code points', () => {
    const sets = [...times(4, () => coded({ a: 'apple', b: 'bee' })), coded({ b: 'bee' })];
    expect(emojiClasses([...sets, ...times(6, () => named('apple', 'bee'))]).codes).toEqual(['b']);
    const without = [...times(4, () => coded({ a: 'apple', b: 'bee' })), coded({ a: 'apple', b: 'bee' }, ['bee'])];
    expect(emojiClasses([...without, ...times(6, () => named('apple', 'bee'))]).codes).toEqual(['b']);
  });

  test('in the order of code points, its drawings in that of the sets', () => {
    const sets = [named('bee', 'apple'), ...times(6, () => coded({ b: 'bee', a: 'apple' })), named('x', 'apple')];
    const six = (label: number, icon: string) => [1, 2, 3, 4, 5, 6].map((set) => [label, set, icon]);
    // "bee" has seven drawings.
    expect(drawn(sets)).toEqual([[0, 0, 'apple'], ...six(0, 'apple'), [0, 7, 'apple']]);
  });

  test('none at all among no sets, or where none tells code points', () => {
    expect(emojiClasses([]).codes).toEqual([]);
    expect(emojiClasses(times(9, () => named('apple'))).drawings).toEqual([]);
  });
});

describe('a set without code points', () => {
  const sets = (last: Made) => [
    ...times(7, () => coded({ a: 'apple', b: 'bee' })),
    coded({ a: 'red-apple', b: 'bee' }),
    last,
  ];

  test('has the emoji that any of the others calls so, the first of two', () => {
    expect(drawn(sets(named('red-apple'))).filter(([, set]) => set === 8)).toEqual([[0, 8, 'red-apple']]);
    expect(drawn(sets(named('red-apple', 'bee', 'apple'))).filter(([, set]) => set === 8)).toEqual([
      [0, 8, 'red-apple'],
      [1, 8, 'bee'],
    ]);
  });

  test('has none by a name that two emoji have', () => {
    const unclear = [...sets(named('apple', 'bee')), coded({ a: 'x', b: 'apple' })];
    expect(drawn(unclear).filter(([, set]) => set === 8)).toEqual([[1, 8, 'bee']]);
  });
});

test('the presentation selector is no part of code points', () => {
  expect(withoutPresentation('0033-fe0f-20e3')).toBe('0033-20e3');
  expect(withoutPresentation('1f600')).toBe('1f600');
});
