import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/schema.js';
import { costOf } from '../../src/config/sweep-cost.js';
import { datasetFromArrays, subset } from '../../src/data/index.js';
import { randomStream } from '../../src/random.js';

const { uniform } = randomStream(3, 'sweep cost');
/** 6 classes of 120 images, class after class. */
const data = datasetFromArrays({
  images: Uint8Array.from({ length: 720 * 36 }, () => 255 * uniform()),
  labels: Int32Array.from({ length: 720 }, (_, i) => Math.floor(i / 120)),
  shape: [6, 6, 1],
});

const config = (method: Config['method'], batch: NonNullable<Config['training']>['batch']) =>
  ({ seed: 1, model: { kind: 'conv', width: 2, dimension: 4 }, training: { batch }, method }) as Config;

describe('the cost of an image drawn, of data sorted by class', () => {
  const goal = ['training-loss', 'centroid-random-target'] as const;
  const attack = { epsilon: 0.1, steps: 2, goal };

  test.each([
    ['standard: forward and back', { name: 'standard' }, 2],
    ['at: two steps and the update', { name: 'at', attack }, 6],
    ['three members of two steps each', { name: 'ensemble-at', members: 3, attack }, 18],
    // 16 of three members' two steps and of two updates, and 6 forward ones for the alignment's target.
    ['each member on two images of three', { name: 'eat', diversity: 'leave-one-out', members: 3, attack }, 22],
  ])('%s', async (_, method, passes) => {
    const cost = await costOf(config(method as Config['method'], { size: 32 }), data);
    expect(cost).toBeCloseTo(passes, 1);
  });

  test('images that fill a batch a second time are drawn a second time', async () => {
    // Two images of each class, four wanted: every image is drawn twice, and passes forward and back each time.
    const few = subset(data, [0, 1, 120, 121, 240, 241]);
    expect(await costOf(config({ name: 'standard' }, { classes: 3, images: 4 }), few)).toBe(2);
  });

  test('batches of so many images of each class are of so many in the count too', async () => {
    // Triplets need two images of a class and two classes: of one class, or of one image each, there would be none.
    const batch = { classes: 6, images: 2 };
    const cost = await costOf(
      config({ name: 'act', attack: { epsilon: 0.1, steps: 2 } } as Config['method'], batch),
      data,
    );
    expect(cost).toBeGreaterThan(6);
  });
});
