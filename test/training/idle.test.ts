import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it, test } from 'vitest';
import { datasetFromArrays } from '../../src/data/index.js';
import { contrastive, multiSimilarity, ntXent, proxyAnchor, tripletMargin } from '../../src/losses/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { eat, standard, type TrainingProgress, type TrainOptions, train } from '../../src/training/index.js';
import { tinyImages } from '../models/tiny-images.js';

const data = tinyImages();
/** Every image is a class of its own. */
const single = datasetFromArrays({ ...data, labels: data.labels.map((_, i) => i) });
const options: TrainOptions = {
  data,
  model: convEmbedder({ dimension: 4, width: 2 }),
  loss: tripletMargin(),
  epochs: 2,
  batch: { size: 12 },
  seed: 1,
  backend: 'cpu',
};

/** A loss without any gradient while `flat()` says so. */
function sometimesFlat(flat: () => boolean) {
  const whole = proxyAnchor();
  return Object.assign(
    (...args: Parameters<typeof whole>) => (flat() ? tf.mul<tf.Scalar>(whole(...args), 0) : whole(...args)),
    { config: whole.config },
  );
}

describe('a training that could never learn is refused', () => {
  it.each<[string, Partial<TrainOptions>, RegExp]>([
    [
      'one image of each class in a batch',
      { batch: { classes: 4, images: 1 } },
      /received batches of one image of a class\.$/,
    ],
    ['batches of one', { batch: { size: 1 } }, /received batches of one image\.$/],
    ['one image of each class in all', { data: single }, /member 0 sees one image of each class/],
    [
      'one image of each class for a member',
      {
        method: eat({ members: 2, diversity: 'disjoint', attack: { epsilon: 0.1 } }),
        data: tinyImages({ perClass: 1 }),
      },
      /member 0 sees one image/,
    ],
  ])('%s', async (_, change, message) => {
    const expected = { code: 'ERR_ARGUMENT', message: expect.stringMatching(message) };
    const refused = train({ ...options, ...change });
    await expect(refused).rejects.toMatchObject({ ...expected, hint: expect.stringContaining('{classes, images}') });
  });

  it.each([tripletMargin(), contrastive(), multiSimilarity(), ntXent()])(
    '%#, for every loss over pairs',
    async (loss) => {
      const refused = train({ ...options, loss, batch: { classes: 4, images: 1 } });
      await expect(refused).rejects.toMatchObject({ message: expect.stringContaining(loss.config.name) });
    },
  );

  it('but proxies learn from single images', async () => {
    const ensemble = await train({ ...options, loss: proxyAnchor(), batch: { classes: 4, images: 1 }, epochs: 1 });
    expect(ensemble.history.idle).toEqual([]);
    ensemble.dispose();
  });
});

describe('an epoch that taught nothing', () => {
  it('is told once, at its end, and kept in the history', async () => {
    let step = 0;
    const seen: TrainingProgress[] = [];
    const ensemble = await train({
      ...options,
      epochs: 3,
      loss: sometimesFlat(() => step < 8),
      onProgress: (progress) => {
        ({ step } = progress);
        seen.push(progress);
      },
    });
    expect(ensemble.history.idle).toEqual([
      { epoch: 1, members: [0] },
      { epoch: 2, members: [0] },
    ]);
    const warned = seen.filter(({ warning }) => warning).map(({ step, warning }) => [step, warning]);
    expect(warned.map(([at]) => at)).toEqual([4, 8]);
    expect(warned[0][1]).toMatch(
      /^Epoch 1 taught nothing: every gradient of every step was zero \(mean loss 0\.000\)\./,
    );
    ensemble.dispose();
  });

  it('names the remedy where batches of pairs held none', async () => {
    // Two images of each of 24 classes: a batch of two may hold a pair, and with this seed none does.
    const pairs = datasetFromArrays({ ...data, labels: data.labels.map((_, i) => i % 24) });
    const warnings: string[] = [];
    const onProgress = ({ warning }: TrainingProgress) => void (warning && warnings.push(warning));
    const ensemble = await train({ ...options, data: pairs, batch: { size: 2 }, epochs: 1, onProgress });
    expect(ensemble.history.losses).toEqual([0]);
    expect(warnings).toEqual([expect.stringMatching(/triplet-margin learns from pairs.*\{classes, images\}/)]);
    ensemble.dispose();
  });

  it('of some members names them', async () => {
    const plain = standard({ members: 2 });
    const method = {
      ...plain,
      memberLoss: (update: Parameters<typeof plain.memberLoss>[0]) =>
        update.member === 1 ? tf.mul<tf.Scalar>(plain.memberLoss(update), 0) : plain.memberLoss(update),
    };
    const ensemble = await train({ ...options, loss: proxyAnchor(), method, epochs: 1 });
    expect(ensemble.history.idle).toEqual([{ epoch: 1, members: [1] }]);
    ensemble.dispose();
  });
});

test('is the same after an interruption within the epoch', async () => {
  const checkpoint = mkdtempSync(join(tmpdir(), 'eat-dml-idle-'));
  const run = (steps: number, resume: boolean) => {
    let at = 0;
    const controller = new AbortController();
    const loss = sometimesFlat(() => at !== 1);
    const onProgress = ({ step }: TrainingProgress) => {
      at = step;
      if (step === steps) controller.abort();
    };
    return train({ ...options, loss, checkpoint, resume, signal: controller.signal, onProgress });
  };
  // Only the second step has a gradient: the first epoch is none that taught nothing, before and after the break.
  await expect(run(3, false)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  const ensemble = await run(99, true);
  expect(ensemble.history.idle).toEqual([{ epoch: 2, members: [0] }]);
  ensemble.dispose();
  rmSync(checkpoint, { recursive: true });
});
