import sharp, { type JpegOptions } from 'sharp';
import { describe, expect, test } from 'vitest';
import { jpegFrame } from '../../src/data/decoding/jpeg-frame.js';
import { sidesOf, viewed } from '../../src/data/decoding/resize.js';
import { decodeJpeg, decodesJpeg } from '../../src/kernels/decode-jpeg.js';
import { randomStream } from '../../src/random.js';

/** Bytes that change slowly, and some noise. */
function image(width: number, height: number): Buffer {
  const { uniform } = randomStream(1, 'jpeg', width, height);
  return Buffer.from(
    Array.from({ length: width * height * 3 }, (_, i) => 128 + 90 * Math.sin(i / 70 + (i % 3)) + 30 * uniform()),
  );
}

const jpeg = (width: number, height: number, options: JpegOptions = {}) =>
  sharp(image(width, height), { raw: { width, height, channels: 3 } }).jpeg(options);

const half = ({ width, height }: { width: number; height: number }) => ({
  ...{ width, height },
  ...sidesOf(
    { width, height },
    { resized: { width: Math.ceil(width / 2), height: Math.ceil(height / 2) }, flip: true },
  ),
});

const KINDS: [string, () => Promise<Buffer>][] = [
  ['of 4:2:0', () => jpeg(37, 29).toBuffer()],
  ['of 4:4:4', () => jpeg(40, 16, { chromaSubsampling: '4:4:4', quality: 95 }).toBuffer()],
  ['that is progressive', () => jpeg(65, 33, { progressive: true }).toBuffer()],
  ['of a pixel', () => jpeg(1, 1).toBuffer()],
  ['that is grey', () => jpeg(50, 41).grayscale().toBuffer()],
  ['of a poor quality', () => jpeg(128, 97, { quality: 5 }).toBuffer()],
];

test.each(KINDS)('the frame of a JPEG %s is what sharp says', async (_, made) => {
  const bytes = await made();
  const { width, height, channels } = await sharp(bytes).metadata();
  expect(jpegFrame(bytes)).toEqual({ width, height, colours: channels });
});

test('what has no frame has none', async () => {
  const bytes = await jpeg(9, 9).toBuffer();
  const png = await jpeg(9, 9).png().toBuffer();
  for (const none of [new Uint8Array(0), Buffer.from([0xff, 0xd8]), png, bytes.subarray(0, 20), bytes.subarray(1)]) {
    expect(jpegFrame(none)).toBeUndefined();
  }
});

describe.skipIf(!decodesJpeg())(
  `by libjpeg-turbo${decodesJpeg() ? '' : ' (skipped: no addon, or no libturbojpeg)'}`,
  () => {
    test.each(KINDS)('a JPEG %s has the bits of sharp', async (_, made) => {
      const bytes = await made();
      const raw = sharp(bytes).toColourspace('srgb').raw();
      const { data: pixels, info } = await raw.toBuffer({ resolveWithObject: true });
      const { width, height } = info;
      const view = { resized: { width: Math.ceil(width / 2), height: Math.ceil(height / 2) }, flip: true };
      const expected = viewed({ pixels, width, height, channels: 3 }, view);
      expect(await decodeJpeg({ bytes, ...half({ width, height }) })).toEqual(expected);
      const memory = new Uint8Array(new SharedArrayBuffer(expected.length + 20)).fill(9);
      const out = memory.subarray(10, 10 + expected.length);
      expect(await decodeJpeg({ bytes, ...half({ width, height }), out })).toBe(out);
      expect([...out]).toEqual([...expected]);
      expect([...memory.subarray(0, 10), ...memory.subarray(-10)].every((value) => value === 9)).toBe(true);
    });

    test('what is unusual is left to sharp, which says what is wrong', async () => {
      const size = { width: 37, height: 29 };
      const bytes = await jpeg(37, 29).toBuffer();
      const cut = bytes.subarray(0, bytes.length - 200);
      const inks = await jpeg(37, 29).toColourspace('cmyk').toBuffer();
      expect(jpegFrame(inks)?.colours).toBe(4);
      for (const [unusual, claimed] of [
        [cut, size],
        [inks, size],
        [bytes, { width: 36, height: 29 }],
        [bytes, { width: 37, height: 30 }],
        [await jpeg(37, 29).png().toBuffer(), size],
        [new Uint8Array(0), size],
      ] as const) {
        expect(await decodeJpeg({ bytes: unusual, ...half(claimed) })).toBeUndefined();
      }
    });
  },
);
