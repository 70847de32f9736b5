import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from '../../src/options.js';
import { filledSchedule, rateAt, type Schedule, schedule } from '../../src/training/schedule.js';

interface Golden {
  schedule: Schedule;
  epochs: number;
  perEpoch: number;
  rates: number[];
}

const { schedules } = JSON.parse(readFileSync(new URL('../goldens/training.json', import.meta.url), 'utf8')) as {
  schedules: Golden[];
};

const filled = (given: Schedule, epochs: number) => filledSchedule(parse(schedule, given), epochs);

test.each(schedules.map((golden) => [JSON.stringify(golden.schedule), golden] as const))(
  '%s: the rates of PyTorch',
  (_, { schedule, epochs, perEpoch, rates }) => {
    const given = filled(schedule, epochs);
    expect(rates.length).toBe(epochs * perEpoch);
    for (const [step, rate] of rates.entries()) expect(rateAt(given, step, perEpoch)).toBeCloseTo(rate, 12);
  },
);

test('what falls over the run falls over its epochs, or those given, and stays where it ends', () => {
  const run = filled({ name: 'linear', floor: 0.25 }, 4);
  expect(run).toEqual({ name: 'linear', floor: 0.25, epochs: 4 });
  const short = filled({ name: 'cosine', floor: 0.25, epochs: 2 }, 4);
  for (const given of [run, short]) expect(rateAt(given, 100, 3)).toBe(0.25);
  expect(rateAt(short, 6, 3)).toBe(0.25);
  expect(rateAt(run, 6, 3)).toBe(0.625);
});

test('a checkpoint tells schedules apart by their text: the order of the keys given does not count', () => {
  const [one, other] = [
    { name: 'cosine', warmUp: { steps: 2 }, epochs: 3 } as const,
    { epochs: 3, warmUp: { steps: 2 }, name: 'cosine' } as const,
  ];
  expect(JSON.stringify(filled(one, 9))).toBe(JSON.stringify(filled(other, 8)));
  expect(JSON.stringify(filled(one, 9))).toBe(JSON.stringify(filled({ name: 'cosine', warmUp: { steps: 2 } }, 3)));
});

test.each<[unknown, RegExp]>([
  [{ name: 'step' }, /every/],
  [{ name: 'step', every: 1, gamma: 0 }, /gamma/],
  [{ name: 'cosine', floor: 2 }, /floor/],
  [{ name: 'cosines' }, /did you mean cosine/],
  [{ name: 'linear', warmUp: { steps: 0 } }, /warmUp/],
  [{ name: 'constant', every: 2 }, /every/],
])('%j is refused', (given, message) => {
  expect(() => parse(schedule, given, 'schedule')).toThrow(message);
});
