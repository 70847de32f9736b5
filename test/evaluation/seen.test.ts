import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadEnsemble } from '../../src/checkpoints/index.js';
import { type Dataset, datasetFromArrays, splitByClass, splitBySample, subset } from '../../src/data/index.js';
import { type EvaluateOptions, evaluate, evaluateRanking } from '../../src/evaluation/index.js';
import { convEmbedder, Ensemble } from '../../src/models/index.js';
import { reportText } from '../../src/report/index.js';
import { type TrainedEnsemble, train } from '../../src/training/index.js';
import { tinyImages } from '../models/tiny-images.js';
import { QUICKER } from './brief.js';
import { withoutChecks } from './without-checks.js';

const data = tinyImages();
const byClass = splitByClass(data, { trainClasses: [10, 11] });
const bySample = splitBySample(data, { testFraction: 0.25 });
const rest: EvaluateOptions = { attacks: [], backend: QUICKER, bootstrap: 0, clusterRestarts: 1 };
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-seen-'));
const trained: Record<'zeroShot' | 'closedSet' | 'unsplit', TrainedEnsemble> = {} as never;

withoutChecks();

beforeAll(async () => {
  const options = {
    model: convEmbedder({ dimension: 4, width: 2 }),
    epochs: 1,
    batch: { size: 6 },
    backend: QUICKER,
  } as const;
  const first = subset(data, [...Array(24).keys()]);
  trained.zeroShot = await train({ ...options, data: byClass.train, checkpoint: join(folder, 'zero-shot') });
  trained.closedSet = await train({ ...options, data: bySample.train });
  trained.unsplit = await train({ ...options, data: { ...first, splits: undefined } });
});

afterAll(() => {
  for (const ensemble of Object.values(trained)) ensemble.dispose();
  rmSync(folder, { recursive: true });
});

/** Other images of the same classes, from the same set. */
const others = { ...tinyImages({ seed: 8 }) };

/** `count` images of one set, then of another, as a set that knows of no split. */
function mixed(one: Dataset, count: number, other: Dataset): Dataset {
  const [a, b] = [subset(one, [...Array(count).keys()]), other];
  const images = Buffer.concat([a.images, b.images]);
  return datasetFromArrays({ name: data.name, images, labels: [...a.labels, ...b.labels], shape: data.shape });
}

const refused = (ensemble: Ensemble, seen: Dataset, options: EvaluateOptions = {}) =>
  expect(evaluate(ensemble, seen, { ...rest, ...options })).rejects;

describe('an ensemble is not measured on what it was trained on', () => {
  test.each<[string, keyof typeof trained, Dataset, string]>([
    ['the training data', 'zeroShot', byClass.train, '24 of its 24 images and 2 of its 2 classes'],
    ['all of the data', 'zeroShot', data, '24 of its 48 images and 2 of its 4 classes'],
    ['one image among unseen ones', 'zeroShot', mixed(byClass.train, 1, byClass.test), '1 of its 25 images and 1 of'],
    [
      'another draw of the split',
      'zeroShot',
      splitByClass(data, { trainClasses: [10, 12] }).test,
      '12 of its 24 images',
    ],
    ['other images of seen classes', 'zeroShot', others, '0 of its 48 images and 2 of its 4 classes'],
    ['part of the training data, of a closed set', 'closedSet', subset(bySample.train, [0, 1, 2]), '3 of its 3 images'],
    [
      'the other side, one image of the own among it',
      'closedSet',
      mixed(bySample.train, 1, bySample.test),
      '1 of its 13',
    ],
    ['the training data, of no split', 'unsplit', subset(data, [5, 6, 40]), '2 of its 3 images'],
  ])('%s (%s)', async (_, run, seen, counted) => {
    await refused(trained[run], seen).toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringContaining(`to be unseen but the ensemble was trained on ${counted}`),
      hint: expect.stringContaining('allowSeen'),
    });
  });

  test('nor after it was saved and loaded, nor by the ranking attacks', async () => {
    const loaded = await loadEnsemble(join(folder, 'zero-shot'));
    expect(loaded.trainedOn).toEqual(trained.zeroShot.trainedOn);
    await refused(loaded, byClass.train).toMatchObject({ code: 'ERR_DATA' });
    await expect(evaluateRanking(loaded, byClass.train, { backend: QUICKER })).rejects.toMatchObject({
      code: 'ERR_DATA',
    });
    loaded.dispose();
  });
});

describe('an ensemble is measured', () => {
  test.each<[string, keyof typeof trained, Dataset]>([
    ['on unseen classes', 'zeroShot', byClass.test],
    ['on a part of them', 'zeroShot', subset(byClass.test, [0, 1, 2, 3, 4, 5])],
    ['on unseen images of its classes', 'closedSet', bySample.test],
    ['on other images of them', 'closedSet', others],
    ['on other images, of no split', 'unsplit', others],
    ['on classes of another set, whose labels mean other things', 'zeroShot', { ...others, name: 'others' }],
  ])('%s (%s)', async (_, run, unseen) => {
    const { manifest } = await evaluate(trained[run], unseen, rest);
    expect(manifest.seen).toBeUndefined();
    expect(manifest.trainedOn).toBe(trained[run].trainedOn!.hash);
  });

  test('on the other side of a split that holds exact copies, as published sets do', async () => {
    const twice = mixed(data, 48, data);
    const split = splitBySample(twice, { testFraction: 0.25 });
    const options = { model: convEmbedder({ dimension: 4, width: 2 }), epochs: 1, batch: { size: 6 } };
    const ensemble = await train({ ...options, data: split.train, backend: QUICKER });
    const { manifest } = await evaluate(ensemble, subset(split.test, [...split.test.labels.keys()]), rest);
    expect(manifest.seen).toBeUndefined();
    // The same images as a set that knows of no split are seen ones.
    await refused(ensemble, { ...split.test, splits: undefined }).toMatchObject({ code: 'ERR_DATA' });
    ensemble.dispose();
  });

  test('on a side of an inner split, on what an outer one kept away, and, as the inner one is of images, on others of its classes', async () => {
    const inner = splitBySample(byClass.train, { testFraction: 0.25 });
    const options = { model: convEmbedder({ dimension: 4, width: 2 }), epochs: 1, batch: { size: 6 } };
    const ensemble = await train({ ...options, data: inner.train, backend: QUICKER });
    for (const unseen of [inner.test, byClass.test, others]) await evaluate(ensemble, unseen, rest);
    await refused(ensemble, byClass.train).toMatchObject({ code: 'ERR_DATA' });
    ensemble.dispose();
  });

  test('on anything where it is said so, and the report says so first', async () => {
    const report = await evaluate(trained.zeroShot, data, { ...rest, allowSeen: true });
    expect(report.manifest.seen).toEqual({ images: 24, classes: 2 });
    const line = 'MEASURED ON SEEN DATA: the ensemble was trained on 24 of the 48 images and 2 of the 4 classes';
    expect(reportText(report)).toContain(line);
  });

  test('on anything where nobody knows what it was trained on', async () => {
    await evaluate(new Ensemble(trained.zeroShot.members), byClass.train, rest);
  });
});
