import { expect, test } from 'vitest';
import { commandText } from '../../src/cli/command-text.js';

test('radii of a command are as people write them, where they are read as the same', () => {
  const flags = { epsilon: 8 / 255, epsilons: [0, 2 / 255, 0.1], count: 500, out: 'a.json' };
  expect(commandText('evaluate', 'runs/a', flags)).toBe(
    'eat-dml evaluate runs/a --epsilon 8/255 --epsilons 0,2/255,0.1 --count 500',
  );
  // Not quite 8/255.
  const near = 8 / 255 + 1e-15;
  expect(commandText('evaluate', 'a', { epsilon: near })).toBe(`eat-dml evaluate a --epsilon ${near}`);
});
