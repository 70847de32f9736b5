import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { datasetHash, imageDigests } from '../../src/data/dataset.js';
import { type Source, sourceOf, splitByClass, subset } from '../../src/data/index.js';
import { digestsOf } from '../../src/data/source.js';
import { evaluate } from '../../src/evaluation/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { train } from '../../src/training/index.js';
import { briefAttacks, QUICKER, threeAttacks } from '../evaluation/brief.js';
import { passChecks } from '../evaluation/without-checks.js';
import { LONG } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';

beforeAll(() => chooseBackend({ backend: QUICKER }));

const data = tinyImages({ perClass: 6 });
const { name, labels, shape } = data;

/** The same images from elsewhere: each batch arrives late, by nothing but what a source must have. */
function elsewhere(asked: number[][] = []): Source {
  const own = sourceOf(data);
  return {
    ...{ name, labels, shape },
    async batch(indices, options) {
      asked.push(Array.from(indices));
      await new Promise((resolve) => setTimeout(resolve, 1));
      return own.batch(indices, options);
    },
    hash: () => own.hash(),
  };
}

describe('a source', () => {
  it('of a dataset gives its images, labels, hash and digests', async () => {
    const source = sourceOf(data);
    const batch = await source.batch([3, 0, 3]);
    const size = data.images.length / data.length;
    const at = (i: number) =>
      Array.from(data.images.subarray(i * size, (i + 1) * size), (byte) => Math.fround(byte / 255));
    expect(Array.from(batch.dataSync())).toEqual([...at(3), ...at(0), ...at(3)]);
    expect(batch.shape).toEqual([3, ...shape]);
    batch.dispose();
    expect(await source.hash()).toBe(datasetHash(data));
    expect(await source.digests!()).toEqual(imageDigests(data));
    expect(sourceOf(data)).toBe(source);
    expect(sourceOf(source)).toBe(source);
    expect(await subset(source, [4, 1]).hash()).toBe(datasetHash(subset(data, [4, 1])));
  });

  it('that has no digests of its own has those of its pixels', async () => {
    expect(await digestsOf(elsewhere())).toEqual(imageDigests(data));
  });

  it('is cut by rows without a read, and a part of a part counts in its own', async () => {
    const asked: number[][] = [];
    const source = elsewhere(asked);
    const part = subset(subset(source, [5, 4, 3, 2]), [2, 0]);
    expect(asked).toEqual([]);
    expect(part.labels).toEqual(Int32Array.of(labels[3], labels[5]));
    (await part.batch([1, 0])).dispose();
    expect(asked).toEqual([[5, 3]]);
    await expect(part.batch([2])).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    expect(await part.hash()).not.toBe(await subset(source, [3, 4]).hash());
    expect(await part.hash()).toBe(await subset(source, [3, 5]).hash());
  });

  it('has the names of the dataset, and of its rows', () => {
    const names = Array.from(labels, (_, i) => `image ${i}`);
    const source = sourceOf({ ...data, names });
    expect(source.names).toEqual(names);
    expect(subset(source, [4, 1]).names).toEqual(['image 4', 'image 1']);
    expect(subset({ ...elsewhere(), names }, [4, 1]).names).toEqual(['image 4', 'image 1']);
    expect(subset(elsewhere(), [4, 1]).names).toBeUndefined();
  });

  it('has the names of the classes, and so have its parts and sides', async () => {
    const classNames = { 10: 'ant', 11: 'bee' };
    for (const source of [sourceOf({ ...data, classNames }), { ...elsewhere(), classNames }]) {
      const { train, test } = splitByClass(source);
      for (const part of [source, subset(source, [4, 1]), train, test]) expect(part.classNames).toEqual(classNames);
      expect(await source.hash()).toBe(datasetHash(data));
    }
    const wrong = { ...elsewhere(), classNames: ['ant', 7] as never };
    expect(() => sourceOf(wrong)).toThrow(/by label.* for data\.classNames but received/);
  });

  it('is split as the dataset is', () => {
    const [whole, late] = [splitByClass(data, { seed: 3 }), splitByClass(elsewhere(), { seed: 3 })];
    expect(late.train.labels).toEqual(whole.train.labels);
    expect(late.test.splits![0]).toMatchObject({ kind: 'zero-shot', side: 'test', id: late.train.splits![0].id });
  });

  it.each([
    ['labels', { labels: [1, 2] }],
    ['shape', { shape: [2, 2] }],
    ['name', { name: 3 }],
    ['hash', { hash: undefined }],
  ])('whose %s is wrong is refused by name', async (what, wrong) => {
    const bad = { ...elsewhere(), ...wrong } as never as Source;
    const model = convEmbedder({ dimension: 4, width: 2 });
    await expect(train({ data: bad, model })).rejects.toThrow(`data.${what}`);
  });
});

describe('a source that is no dataset', () => {
  const model = convEmbedder({ dimension: 4, width: 2 });
  const options = { model, seed: 2, epochs: 2, batch: { classes: 3, images: 2 }, backend: QUICKER };
  const settings = {
    attacks: LONG ? briefAttacks() : threeAttacks(),
    ...{ epsilon: 0.1, partial: [0.5], allowSeen: true, backend: QUICKER, bootstrap: 0, clusterRestarts: 3 },
  };

  it('is trained on, embedded, attacked and evaluated to the same bits', async () => {
    // They read one batch, as attacks do.
    if (!LONG) passChecks();
    const reports = [];
    for (const set of [data, elsewhere()]) {
      const ensemble = await train({ ...options, data: set });
      const { data: embedded } = await ensemble.embed(set, { batchSize: 5 });
      const { manifest, seconds: _, attacks, ...rest } = await evaluate(ensemble, set, settings);
      const timeless = attacks.map(({ seconds: _, ...attack }) => attack);
      const { losses } = ensemble.history;
      reports.push({ losses, embedded, hash: manifest.dataHash, attacks: timeless, ...rest });
      ensemble.dispose();
    }
    expect(reports[1]).toEqual(reports[0]);
    expect(tf.memory().numTensors).toBe(0);
  });

  it('is known again by its images', async () => {
    const ensemble = await train({ ...options, data: elsewhere(), epochs: 1 });
    await expect(evaluate(ensemble, data, { ...settings, allowSeen: false })).rejects.toMatchObject({
      code: 'ERR_DATA',
    });
    ensemble.dispose();
  });

  it('ends training by its own error, with nothing left in memory', async () => {
    const source = elsewhere();
    let left = 3;
    const failing = {
      ...source,
      batch: async (...args: Parameters<Source['batch']>) => {
        if (left-- === 0) throw new Error('the disk is gone');
        return source.batch(...args);
      },
    };
    const digests = async () => imageDigests(data);
    await expect(train({ ...options, data: { ...failing, digests } })).rejects.toThrow('the disk is gone');
    expect(tf.memory().numTensors).toBe(0);
  });
});
