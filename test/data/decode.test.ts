import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { type Channels, decodeImage } from '../../src/data/decoding/decode.js';
import { parseTransform, type Size, type TransformOptions, type View, viewOf } from '../../src/data/transforms.js';

const fixture = (name: string) => readFileSync(new URL(`./fixtures/images/${name}`, import.meta.url));
const { decoded, transform } = JSON.parse(fixture('expected.json').toString());

const whole = ({ width, height }: Size): View => ({ resized: { width, height }, flip: false });
const view = (options: TransformOptions) => (size: Size) => viewOf(parseTransform(options), size);

/** Pixels [height, width, 3] by formula, as one PNG. */
function png(width: number, height: number, pixel: (x: number, y: number) => number[], channels: 3 | 4 = 3) {
  const pixels = Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const at = Math.floor(i / channels);
    return pixel(at % width, Math.floor(at / width))[i % channels];
  });
  return sharp(pixels, { raw: { width, height, channels } });
}

function means(pixels: Uint8Array): number[] {
  const sums = [0, 0, 0];
  pixels.forEach((value, i) => {
    sums[i % 3] += value;
  });
  return sums.map((sum) => (3 * sum) / pixels.length);
}

test.each(Object.keys(decoded))('%s has the mean colours that Pillow sees', async (name) => {
  const { width, height, meanRGB } = decoded[name];
  let seen: Size | undefined;
  const pixels = await decodeImage(fixture(name), name, (size) => {
    seen = size;
    return whole(size);
  });
  // An orientation that a camera noted is not applied: 24 x 18 stays so.
  expect(seen).toEqual({ width, height });
  expect(pixels.length).toBe(width * height * 3);
  means(pixels).forEach((mean, c) => {
    expect(Math.abs(mean - meanRGB[c])).toBeLessThan(name === 'cmyk.jpg' ? 0.6 : 0.01);
  });
});

test.each([
  ['shorter24_crop20', { resize: 24, crop: 20 }],
  ['square24_crop20', { square: 24, crop: 20 }],
])('%s is Pillow’s, up to 1', async (key, options) => {
  const pixels = await decodeImage(fixture('source_37x53.png'), 'source', view(options));
  const far = pixels.map((value, i) => Math.abs(value - transform[key][i]));
  expect(pixels.length).toBe(transform[key].length);
  expect(Math.max(...far)).toBeLessThanOrEqual(1);
});

const ramp = (x: number, y: number) => [16 * x, 30 * y, 200 - 9 * x];

test('palette, WebP, GIF and TIFF are the same picture', async () => {
  const colours = (x: number, y: number) => [x < 4 ? 250 : 10, y < 3 ? 30 : 90, 77];
  const plain = await png(8, 6, colours).raw().toBuffer();
  const files = await Promise.all([
    png(8, 6, colours).png({ palette: true }).toBuffer(),
    png(8, 6, colours).webp({ lossless: true }).toBuffer(),
    png(8, 6, colours).gif().toBuffer(),
    png(8, 6, colours).tiff({ compression: 'lzw' }).toBuffer(),
  ]);
  for (const file of files) expect([...(await decodeImage(file, 'file', whole))]).toEqual([...plain]);
});

test('16 bits become 8, grey becomes three equal channels', async () => {
  const values = Uint16Array.from({ length: 12 }, (_, i) => i * 5000);
  const grey16 = await sharp(values, { raw: { width: 4, height: 3, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer();
  expect((await sharp(grey16).metadata()).depth).toBe('ushort');
  const pixels = await decodeImage(grey16, 'grey16', whole);
  values.forEach((value, i) => {
    for (let c = 0; c < 3; c++) expect(pixels[3 * i + c]).toBe(value >> 8);
  });
});

test('transparency is dropped, and colours below it stay, resized as well', async () => {
  const file = await png(16, 16, (x, y) => [...ramp(x, y % 8), x < 8 ? 0 : 255], 4)
    .png()
    .toBuffer();
  const opaque = await png(16, 16, (x, y) => ramp(x, y % 8))
    .png()
    .toBuffer();
  expect([...(await decodeImage(file, 'file', whole))]).toEqual([...(await decodeImage(opaque, 'file', whole))]);
  const shrunk = view({ resize: 8 });
  expect([...(await decodeImage(file, 'file', shrunk))]).toEqual([...(await decodeImage(opaque, 'file', shrunk))]);
});

test('a profile is ignored', async () => {
  const file = await png(8, 6, ramp).withIccProfile('p3').png().toBuffer();
  expect((await sharp(file).metadata()).icc).toBeDefined();
  const stored = await sharp(file, { ignoreIcc: true }).raw().toBuffer();
  expect([...(await decodeImage(file, 'file', whole))]).toEqual([...stored]);
  expect([...(await sharp(file).raw().toBuffer())]).not.toEqual([...stored]);
});

test('one channel is the luma', async () => {
  const colours = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [10, 20, 30],
  ];
  const file = await png(2, 2, (x, y) => colours[2 * y + x])
    .png()
    .toBuffer();
  // 0.299, 0.587 and 0.114 of 255; 2.99 + 11.74 + 3.42.
  expect([...(await decodeImage(file, 'file', whole, 1))]).toEqual([76, 150, 29, 18]);
});

test('a part is cut before it is resized, and a flip mirrors the result', async () => {
  const file = await png(16, 8, ramp).png().toBuffer();
  const part = { left: 3, top: 2, width: 6, height: 4 };
  const size = { width: 6, height: 4 };
  const [cut, mirrored] = await Promise.all(
    [false, true].map((flip) => decodeImage(file, 'file', () => ({ part, resized: size, flip }))),
  );
  for (let y = 0; y < 4; y++) {
    for (let x = 0; x < 6; x++) {
      expect([...cut.subarray(3 * (6 * y + x), 3 * (6 * y + x) + 3)]).toEqual(ramp(3 + x, 2 + y));
      const there = 3 * (6 * y + 5 - x);
      expect([...mirrored.subarray(there, there + 3)]).toEqual(ramp(3 + x, 2 + y));
    }
  }
  // What lies beside the part has no say in it: pixels of a resized part are those of the part alone.
  const alone = await png(6, 4, (x, y) => ramp(3 + x, 2 + y))
    .png()
    .toBuffer();
  const larger = { width: 13, height: 9 };
  const resized = await decodeImage(file, 'file', () => ({ part, resized: larger, flip: false }));
  expect([...resized]).toEqual([...(await decodeImage(alone, 'file', () => ({ resized: larger, flip: false })))]);
});

const jpeg = fixture('colour.jpg');

test.each<[string, Uint8Array, RegExp]>([
  ['no image', Buffer.from('0005160700020000', 'hex'), /a JPEG, PNG, WebP, GIF or TIFF image .* begins with 00051607/],
  ['nothing', new Uint8Array(), /an empty file/],
  ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), /a JPEG, PNG, WebP, GIF or TIFF image/],
  ['half a JPEG', jpeg.subarray(0, jpeg.length >> 1), /an image that can be decoded/],
  ['half a PNG', fixture('source_37x53.png').subarray(0, 2000), /an image that can be decoded/],
  ['a JPEG without its end', jpeg.subarray(0, -2), /premature end of JPEG image/],
  ['a JPEG’s first bytes', jpeg.subarray(0, 20), /an image that can be decoded/],
])('%s is one error that names the file', async (_, bytes, message) => {
  const error = await decodeImage(bytes, '/data/birds/1.jpg', view({ resize: 8 })).catch((error) => error);
  expect(error).toMatchObject({ name: 'EatDmlError', code: 'ERR_DATA' });
  expect(error.message).toMatch(message);
  expect(error.message).toMatch(/^Expected .* but received .* in \/data\/birds\/1\.jpg\.$/);
});

test('bytes that some cameras leave between or after a JPEG’s parts are let pass, as Pillow does', async () => {
  const expected = await decodeImage(jpeg, 'file', whole);
  const end = Buffer.of(0xff, 0xd9);
  for (const file of [
    [jpeg, Buffer.alloc(100, 7)],
    [jpeg.subarray(0, -2), Buffer.of(1, 2, 3), end],
  ]) {
    expect([...(await decodeImage(Buffer.concat(file), 'file', whole))]).toEqual([...expected]);
  }
});

test('of what libjpeg goes on from after a warning (a bad code, a segment that ends early) there is an image', async () => {
  for (const at of [763, 938]) {
    const file = Buffer.from(jpeg);
    file[at] ^= 0x5a;
    expect((await decodeImage(file, 'file', whole)).length).toBe(24 * 18 * 3);
  }
});

test('a PNG that claims to be huge is refused before it takes memory', async () => {
  const file = await png(8, 6, ramp).png().toBuffer();
  file.writeUInt32BE(60000, 16);
  file.writeUInt32BE(60000, 20);
  await expect(decodeImage(file, 'bomb.png', whole, 3 satisfies Channels)).rejects.toMatchObject({ code: 'ERR_DATA' });
});
