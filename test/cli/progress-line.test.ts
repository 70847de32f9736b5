import { expect, test, vi } from 'vitest';
import { duration, ProgressLine, planText, stepsWarning } from '../../src/cli/progress-line.js';
import { EatDmlError } from '../../src/errors.js';

function stream(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, write: (text: string) => written.push(text) } as never as NodeJS.WriteStream & {
    written: string[];
  };
}

const at = (step: number) => ({
  phase: 'train' as const,
  ...{ epoch: 0, epochs: 2, step, steps: 10, loss: 1.234, imagesPerSecond: 99.6, etaSeconds: 65, learningRate: 1e-3 },
});

test('plain lines, now and then, where there is no terminal', () => {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(1000);
  const out = stream(false);
  const line = new ProgressLine('train', out);
  line.show(at(1));
  line.show(at(2));
  clock.mockReturnValue(12_000);
  line.show(at(3));
  line.end('done');
  clock.mockRestore();
  expect(out.written).toEqual([
    'train  epoch 1/2  step 1/10  loss 1.23  100 images/s  ETA 1:05\n',
    'train  epoch 1/2  step 3/10  loss 1.23  100 images/s  ETA 1:05\n',
    'train  done\n',
  ]);
});

test('a terminal’s line is redrawn in place', () => {
  const out = stream(true);
  const line = new ProgressLine('evaluate', out);
  line.show({ phase: 'attack', attack: 'pgd', done: 5, total: 9, imagesPerSecond: 2, etaSeconds: 2 });
  line.end('done');
  expect(out.written).toEqual([
    '\r\x1b[2Kevaluate  pgd  5/9 images  2 images/s  ETA 0:02',
    '\r\x1b[2Kevaluate  done\n',
  ]);
});

test('what is no progress takes the place of a terminal’s line', () => {
  const out = stream(true);
  const line = new ProgressLine('train', out);
  line.say('before\n');
  line.show({ phase: 'check', done: 5, total: 9, imagesPerSecond: 2, etaSeconds: 2 });
  line.say('9 images of folder\n');
  line.end('done');
  expect(out.written).toEqual([
    'before\n',
    '\r\x1b[2Ktrain  checking images  5/9  2 images/s  ETA 0:02',
    '\r\x1b[2K9 images of folder\n',
    'train  done\n',
  ]);
});

test('a warning stays, and is said once', () => {
  const out = stream(true);
  const line = new ProgressLine('train', out);
  const clock = vi.spyOn(performance, 'now').mockReturnValue(1000);
  line.show(at(1));
  line.show({ ...at(2), warning: 'Epoch 1 taught nothing.' });
  line.show({ ...at(3), warning: 'Epoch 2 taught nothing.' });
  clock.mockRestore();
  expect(out.written).toEqual([
    '\r\x1b[2Ktrain  epoch 1/2  step 1/10  loss 1.23  100 images/s  ETA 1:05',
    '\r\x1b[2Ktrain  warning: Epoch 1 taught nothing.\n',
  ]);
});

test('steps of a plan are counted, the first at once', () => {
  const out = stream(true);
  const line = new ProgressLine('train', out);
  line.show(at(1));
  line.measured({ done: 1, total: 4, etaSeconds: 30 });
  line.say('plan\n');
  expect(out.written.slice(1)).toEqual([
    '\r\x1b[2Ktrain  measuring steps for the plan  1/4  ETA 0:30',
    '\r\x1b[2Kplan\n',
  ]);
});

test('a plan whose epochs are one step is warned of, with batches that make more', () => {
  const plan = { members: 1, parameters: 9, proxies: 9, memoryBytes: 9, imagesPerSecond: 9, hours: 1, epochs: 10 };
  expect(stepsWarning({ ...plan, steps: 10, images: 96 })).toBe(
    'an epoch is one step of 96 images, so the networks move 10 times in all; smaller batches make more steps of it, such as --batch 16',
  );
  expect(stepsWarning({ ...plan, steps: 20, images: 96 })).toBeUndefined();
  expect(planText({ ...plan, epochs: 1, steps: 1, images: 1 })).toContain('; 1 epoch, 1 step of 1 image; ');
  // Where there is no plan, as in a sweep, the first step says it; and no other.
  const out = stream(true);
  const line = new ProgressLine('train', out);
  for (const step of [1, 2]) line.show({ ...at(step), steps: 2 });
  expect(out.written[0]).toBe(
    'train  warning: an epoch is one step, so the networks move 2 times in all; smaller batches make more steps of it\n',
  );
  expect(out.written.filter((text) => text.includes('warning'))).toHaveLength(1);
});

test('a look at files says what is broken, and what it had no time for', () => {
  const out = stream(false);
  const line = new ProgressLine('train', out);
  line.looked({ unseen: 12, decoded: 12, broken: [] });
  expect(out.written).toEqual([]);
  line.looked({ unseen: 90, decoded: 40, broken: [new EatDmlError('ERR_DATA', 'Expected an image.')] });
  expect(out.written).toEqual([
    'train  warning: One is broken of the 90 images that training does not see: Expected an image. evaluate would end with it. ' +
      'Mend or remove such files before training, or leave them out: --skip-broken 1.\n',
    'train  looked at 40 of the 90 images that training does not see; eat-dml data inspect --verify looks at all\n',
  ]);
});

test('another phase is shown at once', () => {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(1000);
  const out = stream(false);
  const line = new ProgressLine('embed', out);
  const images = { total: 20, imagesPerSecond: 4, etaSeconds: 2 };
  line.show({ phase: 'check', done: 1, ...images });
  line.show({ phase: 'check', done: 2, ...images });
  line.show({ phase: 'embed', done: 3, ...images });
  clock.mockRestore();
  expect(out.written).toEqual([
    'embed  checking images  1/20  4 images/s  ETA 0:02\n',
    'embed  embedding images  3/20  4 images/s  ETA 0:02\n',
  ]);
});

test.each([
  [0, '0:00'],
  [59.6, '1:00'],
  [3599, '59:59'],
  [-1, '0:00'],
])('%s seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test('the scores of an epoch stay, above the line', () => {
  const out = stream(true);
  const line = new ProgressLine('train', out);
  line.show(at(1));
  line.show({ ...at(1), epoch: 1, scores: { recallAt1: 0.75, nmi: 0.5 } });
  expect(out.written.at(-1)).toBe('\r\x1b[2Ktrain  epoch 1 scores recallAt1 0.750, nmi 0.500\n');
});
