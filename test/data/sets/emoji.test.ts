import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, test, vi } from 'vitest';
import { type Dataset, openData } from '../../../src/data/index.js';
import { buildEmojiCache, emoji, emojiCache, emojiPackagesDir } from '../../../src/data/sets/emoji.js';
import { EMOJI_PACKAGES, iconNamed, readIconSets } from '../../../src/data/sets/emoji-packages.js';
import { type PackageFiles, writeEmojiPackages } from './emoji-fixture.js';

const cacheDir = mkdtempSync(join(tmpdir(), 'eat-dml-emoji-'));
const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
const REMEDY = 'Run: eat-dml data emoji';

beforeAll(() => writeEmojiPackages(emojiPackagesDir(cacheDir)));
afterEach(() => warn.mockClear());
afterAll(() => {
  warn.mockRestore();
  rmSync(cacheDir, { recursive: true });
});

/** Image `i` as rows of "r,g,b". */
function rowsOf({ images, shape: [height, width] }: Dataset, i: number): string[][] {
  const at = (y: number, x: number) => ((i * height + y) * width + x) * 3;
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => images.subarray(at(y, x), at(y, x) + 3).join()),
  );
}

/** Both sides together. */
async function all(side: number): Promise<Dataset[]> {
  return Object.values(await emoji({ cacheDir, side }));
}

describe('what is built of the packages', () => {
  it('says how much, and whose it is', async () => {
    const progress: number[] = [];
    const built = await buildEmojiCache(cacheDir, { side: 16, onProgress: ({ done }) => progress.push(done) });
    expect([built.classes, built.images]).toEqual([4, 44]);
    expect(progress).toEqual(Array.from({ length: 44 }, (_, i) => i + 1));
    expect(built.credits.map((credit) => [credit.package, credit.version])).toEqual(Object.entries(EMOJI_PACKAGES));
    expect(built.credits[10]).toMatchObject({ title: 'Set 10', author: 'Author 10', licence: 'MIT', images: 4 });
  });

  it('is every drawing on white, by the vendor and icon that its name says', async () => {
    const fills = { red: '255,0,0', green: '0,255,0', blue: '0,0,255', sun: '255,255,0' };
    const prefixes = Object.keys(EMOJI_PACKAGES).map((name) => name.replace('@iconify-json/', ''));
    const seen: string[] = [];
    for (const side of await all(16)) {
      expect(side.shape).toEqual([16, 16, 3]);
      side.names!.forEach((name, i) => {
        const [prefix, icon] = name.split(':');
        const height = prefixes.indexOf(prefix) + 1;
        const row = (y: number) => Array(16).fill(y < height ? fills[icon as 'red'] : '255,255,255');
        expect(rowsOf(side, i), name).toEqual(Array.from({ length: 16 }, (_, y) => row(y)));
        expect(side.labels[i]).toBe(['red', 'green', 'blue', 'sun'].indexOf(icon));
        seen.push(name);
      });
    }
    const expected = Object.keys(fills).flatMap((icon) => prefixes.map((prefix) => `${prefix}:${icon}`));
    expect(seen.sort()).toEqual(expected.sort());
  });

  it('is rendered at each side anew, and kept', async () => {
    const [{ shape, length }] = await all(20);
    expect([shape, length]).toEqual([[20, 20, 3], 22]);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('renders the emoji at 20 x 20 pixels'));
    warn.mockClear();
    await all(20);
    expect(warn).not.toHaveBeenCalled();
    expect(readdirSync(cacheDir).filter((name) => /^emoji-[0-9a-f]{12}-(16|20)$/.test(name))).toHaveLength(2);
  });

  it('is the same bits when it is done again', async () => {
    const { folder, images } = await emojiCache(cacheDir, 16);
    const before = readFileSync(join(folder, images));
    await buildEmojiCache(cacheDir, { side: 16 });
    expect(before.equals(readFileSync(join(folder, images)))).toBe(true);
  });

  it('keeps nothing where it is aborted', async () => {
    const controller = new AbortController();
    const options = { side: 24, signal: controller.signal, onProgress: () => controller.abort() };
    await expect(buildEmojiCache(cacheDir, options)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(readdirSync(cacheDir).filter((name) => name.endsWith('-24'))).toEqual([]);
  });

  it.each([0, 257, 6.5])('has no side of %s pixels', async (side) => {
    const error = { code: 'ERR_ARGUMENT', message: expect.stringMatching(/an integer from 1 to 256 for side but/) };
    await expect(buildEmojiCache(cacheDir, { side })).rejects.toMatchObject(error);
    await expect(emoji({ cacheDir, side })).rejects.toMatchObject(error);
  });
});

describe('a drawing', () => {
  const other = join(cacheDir, 'drawings');
  const built = async (icon: object) => {
    writeEmojiPackages(emojiPackagesDir(other), (set, files) => {
      if (set === 'twemoji') (files['icons.json'] as { icons: Record<string, object> }).icons.red = icon;
    });
    await buildEmojiCache(other, { side: 8 });
    const sides: Dataset[] = Object.values(await emoji({ cacheDir: other, side: 8 }));
    const side = sides.find(({ names }) => names!.includes('twemoji:red'))!;
    return rowsOf(side, side.names!.indexOf('twemoji:red'));
  };
  const white = '255,255,255';

  it('that is not square is in the middle, as large as fits', async () => {
    const rows = await built({ body: '<rect width="20" height="10"/>', width: 20, height: 10 });
    expect(rows.map(([first]) => first)).toEqual([white, white, ...Array(4).fill('0,0,0'), white, white]);
    expect(new Set(rows[3])).toEqual(new Set(['0,0,0']));
  });

  it('begins where it says', async () => {
    const rows = await built({
      body: '<rect x="100" y="-4" width="1" height="1"/>',
      left: 100,
      top: -4,
      width: 2,
      height: 2,
    });
    expect(rows.map((row) => row.filter((pixel) => pixel === '0,0,0').length)).toEqual([4, 4, 4, 4, 0, 0, 0, 0]);
  });

  it('that is half transparent is half white', async () => {
    const rows = await built({ body: '<rect width="16" height="16" opacity="0.5"/>' });
    const [level] = rows[0][0].split(',').map(Number);
    expect(Math.abs(level - 127.5)).toBeLessThan(1.5);
  });

  it('that is black in the colour of text is black', async () => {
    expect((await built({ body: '<rect width="16" height="16" fill="currentColor"/>' }))[0][0]).toBe('0,0,0');
  });

  it('that cannot be rendered is named', async () => {
    await expect(built({ body: '<rect' })).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(
        /^Expected a drawing that makes 8 x 8 x 3 bytes but received ".*" in twemoji:red\.$/,
      ),
      hint: REMEDY,
    });
  });
});

describe('emoji', () => {
  it('are split by emoji, or by drawing, and limited to some classes', async () => {
    const apart = await emoji({ cacheDir, side: 16 });
    const { train, test } = apart;
    expect([train.length, test.length]).toEqual([22, 22]);
    expect([...train.labels].filter((label) => test.labels.includes(label))).toEqual([]);
    const few = await emoji({ cacheDir, side: 16, classes: 1 });
    expect([new Set(few.train.labels).size, new Set(few.test.labels).size]).toEqual([1, 1]);
    const closed = await emoji({ cacheDir, side: 16, split: 'closed-set' });
    expect(closed.test.length).toBe(22);
    expect(new Set(closed.test.labels).size).toBe(4);
    expect([...closed.train.names!, ...closed.test.names!].sort()).toEqual([...train.names!, ...test.names!].sort());
  });

  it('are sources with names by openData, at 64 pixels', async () => {
    const { train } = await openData('emoji', { cacheDir });
    expect(train!.classNames).toEqual({ 0: 'red', 1: 'green', 2: 'blue', 3: 'sun' });
    expect(train!.shape).toEqual([64, 64, 3]);
    expect(train!.names).toEqual((await emoji({ cacheDir })).train.names);
  });

  it('that were changed since they were kept are rendered anew, and that is said', async () => {
    const before = await emoji({ cacheDir, side: 16 });
    const { folder, ...files } = await emojiCache(cacheDir, 16);
    for (const file of [files.images, files.labels, files.names!, 'checksums.json']) {
      const whole = readFileSync(join(folder, file));
      whole[whole.length >> 1] ^= 1;
      writeFileSync(join(folder, file), whole);
      expect(await emoji({ cacheDir, side: 16 })).toEqual(before);
      expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('made the cache of the emoji anew.'));
      warn.mockClear();
    }
  });

  it('are named with the remedy where they are damaged and the packages gone', async () => {
    const other = join(cacheDir, 'gone');
    writeEmojiPackages(emojiPackagesDir(other));
    await buildEmojiCache(other, { side: 8 });
    rmSync(emojiPackagesDir(other), { recursive: true });
    expect((await emoji({ cacheDir: other, side: 8 })).train.length).toBe(22);
    const { folder, labels } = await emojiCache(other, 8);
    writeFileSync(join(folder, labels), '');
    const error = { code: 'ERR_DATA', message: expect.stringContaining(join(folder, labels)), hint: REMEDY };
    await expect(emoji({ cacheDir: other, side: 8 })).rejects.toMatchObject(error);
    const missing = {
      code: 'ERR_DATA',
      message: expect.stringContaining('@iconify-json/noto but received none in'),
      hint: REMEDY,
    };
    warn.mockClear();
    await expect(emoji({ cacheDir: other, side: 9 })).rejects.toMatchObject(missing);
    expect(warn).not.toHaveBeenCalled();
  });
});

describe('packages', () => {
  test.each<[string, string, (files: PackageFiles) => void, string]>([
    ['of another version', 'package.json', (files) => (files['package.json'] = { version: '9.0.0' }), 'version 1.2.5'],
    ['without a version', 'package.json', (files) => (files['package.json'] = {}), 'a string as version'],
    ['without icons', 'icons.json', (files) => (files['icons.json'] = { prefix: 'x' }), 'an object as icons'],
    ['with other text', 'chars.json', (files) => (files['chars.json'] = '{"1f600":'), 'JSON'],
    [
      'with code points of no name',
      'chars.json',
      (files) => (files['chars.json'] = { '1f600': 3 }),
      'a string as 1f600',
    ],
    [
      'without a licence',
      'info.json',
      (files) => delete (files['info.json'] as { license?: object }).license,
      'an object as license',
    ],
  ])('%s are named by the file', async (_, file, change, expected) => {
    const other = join(cacheDir, 'damaged');
    writeEmojiPackages(other, (set, files) => set === 'twemoji' && change(files));
    await expect(readIconSets(other)).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(new RegExp(`^Expected ${expected} but received .* in .*twemoji.${file}\\.$`)),
      hint: REMEDY,
    });
  });

  test('one of which is missing is named; of one that lost a file, the file', async () => {
    const other = join(cacheDir, 'missing');
    writeEmojiPackages(other);
    const home = join(other, 'node_modules', '@iconify-json', 'openmoji');
    rmSync(join(home, 'info.json'));
    await expect(readIconSets(other)).rejects.toThrow(
      `a readable file but received ENOENT in ${join(home, 'info.json')}.`,
    );
    rmSync(home, { recursive: true });
    await expect(readIconSets(other)).rejects.toMatchObject({
      message: `Expected the npm package @iconify-json/openmoji but received none in ${other}.`,
      hint: REMEDY,
    });
  });

  test.each([
    [{ body: 3 }],
    [{ body: '', rotate: 1 }],
    [{ body: '', hFlip: true }],
    [{ body: '', width: 0 }],
    [undefined],
  ])('with %j for an icon are refused', async (icon) => {
    const [set] = await readIconSets(emojiPackagesDir(cacheDir));
    const changed = { ...set, icons: new Map([['red', icon]]) };
    expect(() => iconNamed(changed, 'red')).toThrow(/^Expected .* but received .* in icon red of .*icons\.json\.$/);
  });

  test('that draw nothing alike are refused', async () => {
    const other = join(cacheDir, 'apart');
    writeEmojiPackages(emojiPackagesDir(other), (_, files) => (files['chars.json'] = {}));
    await expect(buildEmojiCache(other)).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/received none among (5, ){10}5 icons\.$/),
      hint: REMEDY,
    });
  });
});
