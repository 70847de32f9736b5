import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeCache } from '../../../src/data/cache.js';
import { emoji } from '../../../src/data/index.js';
import { emojiCache, shrink } from '../../../src/data/sets/emoji.js';
import { codeOf, commonEmoji, decodeEmoji, EMOJI_PACKAGES, listEmoji } from '../../../src/data/sets/emoji-packages.js';
import { randomStream } from '../../../src/random.js';

const cacheDir = mkdtempSync(join(tmpdir(), 'eat-dml-emoji-'));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

describe('emoji of several vendors', () => {
  it('go by code points, whatever the case and the presentation selector', () => {
    expect(codeOf('0033-FE0F-20E3.svg')).toBe('0033-20e3');
    expect(codeOf('1f600.png')).toBe('1f600');
  });

  it('are those that all draw, without skin tone or with the darkest', () => {
    const vendor = (codes: string[]) => new Map(codes.map((code) => [code, `${code}.png`]));
    const [a, b] = [vendor(['2', '1', '3', '4-1f3fb', '4-1f3ff']), vendor(['1', '2', '4-1f3fb', '4-1f3ff', '9'])];
    expect(commonEmoji([a, b])).toEqual({
      codes: ['1', '2', '4-1f3ff'],
      files: Array(2).fill(['1.png', '2.png', '4-1f3ff.png']),
    });
  });

  it('shrink by the mean of what a pixel stands for', () => {
    const images = Uint8Array.from(
      [0, 1, 4, 3, 8, 9, 12, 11, 100, 100, 0, 0, 100, 100, 0, 0].flatMap((x) => [x, 2 * x]),
    );
    const data = {
      name: 'x',
      images,
      labels: Int32Array.of(7),
      shape: [4, 4, 2] as [number, number, number],
      length: 1,
    };
    const { images: small, shape } = shrink(data, 2);
    expect(shape).toEqual([2, 2, 2]);
    expect([...small]).toEqual([5, 9, 8, 15, 100, 200, 0, 0]);
    expect(() => shrink(data, 3)).toThrow(/side/);
  });

  it('say how to get them where they are not', async () => {
    const missing = { code: 'ERR_DATA', hint: expect.stringContaining('eat-dml data emoji') };
    await expect(emoji({ cacheDir })).rejects.toMatchObject(missing);
    await expect(listEmoji(cacheDir)).rejects.toMatchObject(missing);
  });

  it('are split by emoji, or by drawing, and limited to some classes', async () => {
    const random = randomStream(1, 'pixels');
    const length = 40;
    const data = Uint8Array.from({ length: length * 64 * 64 * 3 }, () => random.integer(256));
    await writeCache(emojiCache(cacheDir), {
      images: { shape: [length, 64, 64, 3], data },
      labels: { shape: [length], data: Int32Array.from({ length }, (_, i) => i % 10) },
    });
    const apart = await emoji({ cacheDir, side: 32 });
    expect(apart.train.shape).toEqual([32, 32, 3]);
    expect(new Set([...apart.train.labels].filter((label) => apart.test.labels.includes(label))).size).toBe(0);
    const few = await emoji({ cacheDir, classes: 2 });
    expect([new Set(few.train.labels).size, new Set(few.test.labels).size]).toEqual([2, 2]);
    const closed = await emoji({ cacheDir, split: 'closed-set', side: 16 });
    expect([...closed.test.labels].filter((label) => label === 3).length).toBe(2);
  });

  it('that were changed since they were kept are named, with the remedy', async () => {
    const { folder, images, labels } = emojiCache(cacheDir);
    for (const file of [images, labels, 'checksums.json']) {
      const path = join(folder, file);
      const whole = readFileSync(path);
      const flipped = Buffer.from(whole);
      flipped[whole.length >> 1] ^= 1;
      writeFileSync(path, flipped);
      const error = { code: 'ERR_DATA', message: expect.stringContaining(folder), hint: 'Run: eat-dml data emoji' };
      await expect(emoji({ cacheDir })).rejects.toMatchObject(error);
      rmSync(path);
      await expect(emoji({ cacheDir })).rejects.toMatchObject(error);
      writeFileSync(path, whole);
    }
    expect((await emoji({ cacheDir, side: 16 })).train.length).toBe(20);
  });

  it('whose drawings cannot be decoded are named by their file', async () => {
    const file = join(cacheDir, 'no-image.png');
    writeFileSync(file, 'no image');
    const place = join(cacheDir, 'node_modules', 'sharp');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'index.js'), 'module.exports = () => { throw new Error("an unknown format"); };');
    await expect(decodeEmoji([file], [join(cacheDir, '/')])).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringContaining(`an unknown format in ${file}`),
      hint: 'Run: eat-dml data emoji',
    });
  });

  it('of vendors that draw nothing alike are refused', async () => {
    const packages = join(cacheDir, 'apart');
    for (const [i, name] of Object.keys(EMOJI_PACKAGES).entries()) {
      const inside = name === 'openmoji' ? 'color/svg' : `img/${name.replace('emoji-datasource-', '')}/64`;
      mkdirSync(join(packages, 'node_modules', name, inside), { recursive: true });
      writeFileSync(join(packages, 'node_modules', name, inside, `${i}.png`), '');
    }
    await expect(listEmoji(packages)).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringContaining('received 1, 1, 1, 1'),
    });
  });
});
