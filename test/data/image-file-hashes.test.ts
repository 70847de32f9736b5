import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ImageFilesOptions } from '../../src/data/image-files.js';
import { digestsOf, type Source, subset } from '../../src/data/source.js';
import { files, folderOfPictures, labels, pictures, random } from './pictures.js';

let root: string;

beforeAll(async () => {
  await tf.setBackend('cpu');
  root = await folderOfPictures();
});

afterAll(() => rm(root, { recursive: true }));

const open = (options: Partial<ImageFilesOptions> = {}) => pictures(root, options);

describe('hash and digests', () => {
  let source: Source;
  beforeEach(() => {
    source = open();
  });

  test('digests are of the bytes of the files, whatever the transform', async () => {
    const digests = await source.digests!();
    for (const [i, file] of files.entries()) {
      const whole = createHash('sha256').update(await readFile(join(root, file)));
      expect(digests[i]).toBe(whole.digest().readBigUInt64LE());
    }
    expect(await open({ transform: random, channels: 1 }).digests!()).toEqual(digests);
    expect(await digestsOf(subset(source, [4, 2]))).toEqual(BigUint64Array.of(digests[4], digests[2]));
  });

  test('the hash knows files, order, labels, channels and transform, and neither name nor concurrency', async () => {
    const hash = await source.hash();
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await open({ name: 'other', concurrency: 1, seed: 3 }).hash()).toBe(hash);
    expect(await open({ transform: { resize: 20, crop: 16, flip: false } }).hash()).toBe(hash);
    const others = await Promise.all([
      open({ transform: { resize: 21, crop: 16 } }).hash(),
      open({ transform: { resize: 20, crop: 15 } }).hash(),
      open({ channels: 1 }).hash(),
      open({ labels: labels.toReversed() }).hash(),
      open({ files: files.toReversed() }).hash(),
      open({ files: files.slice(1), labels: labels.slice(1) }).hash(),
    ]);
    expect(new Set([hash, ...others]).size).toBe(7);
  });

  test('the hash of a part knows the transform, too', async () => {
    const of = (transform: ImageFilesOptions['transform']) => subset(open({ transform }), [4, 2]).hash();
    // All are 16 x 16.
    const hashes = [await of({ square: 16 }), await of({ resize: 16 }), await of({ resize: 20, crop: 16 })];
    expect(new Set(hashes).size).toBe(3);
    expect(await of({ square: 16, flip: false })).toBe(hashes[0]);
    const part = subset(subset(source, [4, 2, 0]), [0, 1]);
    expect(await part.hash()).toBe(hashes[2]);
  });

  test('what an aborted call has read is not read again', async () => {
    const folder = await mkdtemp(join(root, 'digests-'));
    for (let i = 0; i < 3; i++) await writeFile(join(folder, `${i}`), `${i}`);
    const three = open({ root: folder, files: ['0', '1', '2'], labels: [0, 0, 0], concurrency: 1 });
    const digests = await three.digests!();
    await rm(folder, { recursive: true });
    expect(await three.digests!()).toEqual(digests);
    digests[0] = 0n;
    expect((await three.digests!())[0]).not.toBe(0n);
  });
});
