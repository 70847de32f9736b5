import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoints/index.js';
import { contrastive, multiSimilarity, ntXent, proxyAnchor, tripletMargin } from '../../src/losses/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { chooseBackend, onPresentBackend } from '../../src/tfjs/index.js';
import * as methods from '../../src/training/index.js';
import { type Method, type TrainingProgress, type TrainOptions, train } from '../../src/training/index.js';
import { fewOf, LONG } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';
import { INNER, meet } from './stranger.js';

const data = tinyImages({ perClass: 6 });
const attack = { epsilon: 0.1, steps: 2 };
const options: TrainOptions = {
  data,
  model: convEmbedder({ dimension: 4, width: 2 }),
  seed: 2,
  epochs: 2,
  batch: { classes: 3, images: 2 },
};

const METHODS: Record<string, Method> = {
  standard: methods.standard({ members: 2 }),
  at: methods.at({ attack }),
  'ensemble-at': methods.ensembleAt({ members: 2, attack }),
  'at in l1': methods.at({ attack: { norm: 'l1', epsilon: 3, steps: 2 } }),
  'at towards other classes, again where that is not lost': methods.at({
    attack: { ...attack, restarts: 2, goal: 'retrieval' },
  }),
  ...Object.fromEntries(
    (['shared', 'peers', 'mix', 'none', 'one', 'relay', 'pooled'] as const).map((transfer) => [
      `eat ${transfer}`,
      methods.eat({ members: 2, transfer, attack }),
    ]),
  ),
  'eat-heads': methods.eatHeads({ attack }),
  trades: methods.trades({ attack }),
  hm: methods.hm({ attack }),
  act: methods.act({ attack }),
  est: methods.est({ attack }),
  adp: methods.adp({ members: 2, attack }),
  gal: methods.gal({ members: 2, attack }),
  'gal of clean images': methods.gal({ members: 2 }),
  dverge: methods.dverge({ members: 2, adversarial: true, attack }),
};

type Reported = Pick<TrainingProgress, 'epoch' | 'step' | 'loss' | 'warning'>;

/** What a run on the backend that tfjs has comes to; all of its tensors are freed. */
async function outcome(more: Partial<TrainOptions>) {
  const before = tf.memory().numTensors;
  const reported: Reported[] = [];
  try {
    const ensemble = await onPresentBackend(() =>
      train({
        ...options,
        onProgress: ({ epoch, step, loss, warning }) => void reported.push({ epoch, step, loss, warning }),
        ...more,
      }),
    );
    const weights: number[][] = [];
    for (const { weights: own } of ensemble.members) {
      for (const weight of own.values()) weights.push([...(await weight.data())]);
    }
    for (const proxies of ensemble.proxies) weights.push([...(await proxies.data())]);
    const { seconds: _, ...history } = ensemble.history;
    ensemble.dispose();
    return { weights, history, reported };
  } finally {
    expect(tf.memory().numTensors).toBe(before);
  }
}

/** What went wrong with it. */
const failure = (more: Partial<TrainOptions>) =>
  outcome(more).then(
    () => 'nothing',
    ({ code, message }) => `${code} ${message}`,
  );

afterEach(() => chooseBackend({ backend: INNER }));

describe('training reads nothing at once, and comes to the same bits', () => {
  it.each(fewOf(Object.entries(METHODS), 7))('%s', async (_, method) => {
    const more = { method, epochs: LONG ? 2 : 1 };
    await meet('readable');
    const expected = await outcome(more);
    expect(expected.history.losses.every(Number.isFinite)).toBe(true);
    await meet('unreadable');
    expect(await outcome(more)).toEqual(expected);
  });

  const losses = [proxyAnchor(), multiSimilarity({ mining: 0.1 }), contrastive(), ntXent(), tripletMargin()];
  it.each(fewOf(losses, 2).map((loss) => [loss.config.name, loss] as const))(
    '%s: as where it is read',
    async (_, loss) => {
      await chooseBackend({ backend: INNER });
      const expected = await outcome({ loss });
      expect(expected.reported.map(({ step }) => step)).toEqual(expected.reported.map((_, i) => i + 1));
      await meet('unreadable');
      expect(await outcome({ loss })).toEqual(expected);
    },
  );

  it('in parts, averaged, clipped, planned, validated under attack', async () => {
    const more: Partial<TrainOptions> = {
      method: METHODS.at,
      ...{ batch: { size: 6 }, microBatch: 2, ema: 0.9, clip: { norm: 1 }, onPlan: () => {} },
      validation: { classes: 0.5, metric: 'attackedRecallAt1', attack: { epsilon: 0.1, steps: 2 } },
    };
    await meet('readable');
    const expected = await outcome(more);
    expect(expected.history.validations?.length).toBe(2);
    await meet('unreadable');
    expect(await outcome(more)).toEqual(expected);
  });

  it('an epoch that teaches nothing is told of', async () => {
    const good = proxyAnchor();
    const flat = ((e, l, p) => tf.mul<tf.Scalar>(good(e, l, p), 0)) as typeof good;
    const loss = Object.assign((...args: Parameters<typeof good>) => flat(...args), { config: { name: 'flat' } });
    await meet('unreadable');
    const { history, reported } = await outcome({ loss });
    expect(history.idle.map(({ epoch }) => epoch)).toEqual([1, 2]);
    expect(reported.filter(({ warning }) => warning).map(({ epoch }) => epoch)).toEqual([1, 2]);
  });
});

describe('a run that ends before its end', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eat-dml-later-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Not a number from the call `from` on. */
  function breaking(from: number) {
    const good = proxyAnchor();
    let calls = 0;
    const loss = (...args: Parameters<typeof good>) => {
      const value = good(...args);
      return calls++ < from ? value : tf.mul<tf.Scalar>(value, Number.NaN);
    };
    return Object.assign(loss, { config: { name: 'breaking' } });
  }
  const stepIn = async (dir: string) => {
    const { members, record } = await loadCheckpoint(dir, options.model);
    for (const member of members) member.dispose();
    return (record as { position: { step: number } }).position.step;
  };

  it.each(fewOf([1, 2, 3, 5, 6, 7], 2))(
    'a loss that is not finite in step %d: the step is named, the save before it stays',
    async (at) => {
      const ran = (dir: string) => ({
        loss: breaking(at),
        epochs: 3,
        checkpoint: { dir: join(folder, dir), everySteps: 1 },
      });
      await chooseBackend({ backend: INNER });
      const expected = await failure(ran(`known-${at}`));
      expect(expected).toMatch(new RegExp(`^ERR_DIVERGED .*NaN in step ${at}`));
      await meet('unreadable');
      expect(await failure(ran(`strange-${at}`))).toBe(expected);
      expect(await stepIn(join(folder, `strange-${at}`))).toBe(at);
      expect(await failure({ loss: breaking(at), epochs: 3 })).toBe(expected);
      const every = { dir: join(folder, `seldom-${at}`), everySteps: 4 };
      expect(await failure({ loss: breaking(at), epochs: 3, checkpoint: every })).toBe(expected);
      if (at >= 4) expect(await stepIn(every.dir)).toBe(4);
    },
  );

  it('what is not finite while crafting is told so', async () => {
    // Each step calls the loss twice while crafting and once in the update.
    const ran = () => ({ loss: breaking(7), method: METHODS.at });
    await chooseBackend({ backend: INNER });
    const expected = await failure(ran());
    expect(expected).toMatch(/^ERR_DIVERGED .* while crafting in step 2/);
    await meet('unreadable');
    expect(await failure(ran())).toBe(expected);
  });

  it.each(['standard', 'hm'])('%s goes on from where it was interrupted, to the bit', async (name) => {
    const method = METHODS[name];
    await meet('unreadable');
    const { weights, history, reported } = await outcome({ method });
    const controller = new AbortController();
    const dir = join(folder, `interrupted-${name}`);
    const onProgress = ({ step }: TrainingProgress) => {
      if (step === 2) controller.abort();
    };
    const checkpoint = { dir };
    expect(await failure({ method, checkpoint, onProgress, signal: controller.signal })).toMatch(/^ERR_ABORTED/);
    const step = await stepIn(dir);
    expect(step).toBeLessThan(history.steps);
    const rest = await outcome({ method, checkpoint, resume: true });
    expect(rest).toEqual({ weights, history, reported: reported.filter((one) => one.step > step) });
  });
});
