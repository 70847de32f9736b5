import type sharpOf from 'sharp';
import type { Sharp, SharpOptions } from 'sharp';
import { dataFault, EatDmlError } from '../../errors.js';
import { decodeJpeg, decodesJpeg } from '../../kernels/decode-jpeg.js';
import type { Size, View } from '../transforms.js';
import { jpegFrame } from './jpeg-frame.js';
import { type Bytes, sidesOf, viewed } from './resize.js';

/** Grey, or red, green and blue. */
export type Channels = 1 | 3;

type SharpModule = typeof sharpOf;

/** More pixels than Pillow opens without a warning: a file of some bytes may claim billions. */
const MOST_PIXELS = 2 ** 26 + 2 ** 24;

/**
 * How files are read. Damage that libjpeg only warns of (bytes between markers, as some cameras leave) is let pass, as the
 * field's loaders do; an image that ends early is not. Profiles are ignored, as they do, too.
 */
const INPUT: SharpOptions = { failOn: 'error', limitInputPixels: MOST_PIXELS, ignoreIcc: true };

const BROKEN =
  '`eat-dml data inspect FOLDER --verify` names such files. Take them out, also of the data of a run, or leave them out: `train --skip-broken N`.';

/** Bytes that the kinds of files are known by. */
export const BEGINNING = 12;

/** How the kinds of files begin that are decoded, in hex; a dot is any digit. */
const BEGINNINGS: readonly RegExp[] = [
  /^ffd8ff/, // JPEG
  /^89504e470d0a1a0a/, // PNG
  /^52494646.{8}57454250/, // WebP, in RIFF
  /^47494638(37|39)61/, // GIF
  /^(49492a00|4d4d002a)/, // TIFF
];

/**
 * The image in the bytes of a JPEG, PNG, WebP, GIF (its first frame) or TIFF file, looked at as `view` says for its size:
 * bytes 0..255, [height, width, channels] of the view. What is grey, of 16 bits, by palette, CMYK or transparent becomes red,
 * green and blue as Pillow's `convert('RGB')` makes it: transparency is dropped, and the orientation that a camera noted is
 * not applied. `file` names it in errors. `into` is memory that the view may be decoded into; it is what is returned then.
 *
 * @throws EatDmlError ERR_DATA that names `file` where it is no such image, broken or cut off; ERR_SYSTEM without sharp.
 */
export async function decodeImage(
  bytes: Uint8Array,
  file: string,
  view: (size: Size) => View,
  channels: Channels = 3,
  into?: Uint8Array,
): Promise<Uint8Array> {
  const begins = beginningFault(bytes, file);
  if (begins) throw begins;
  // A view may be drawn: it is asked once.
  let seen: View | undefined;
  const look = ({ width, height }: Size) => {
    seen ??= view({ width, height });
    return seen;
  };
  try {
    const pixels = (await quickly(bytes, look, into)) ?? (await bySharp(bytes, look));
    return channels === 1 ? greyOf(pixels) : pixels;
  } catch (cause) {
    // Of the machine, not of the image.
    if (cause instanceof EatDmlError) throw cause;
    throw dataFault(file, 'an image that can be decoded', `"${firstLine(cause)}"`, { cause, hint: BROKEN });
  }
}

/** The fault of a file that does not begin as the kinds that are decoded do; `bytes` are its first ones at least. */
export function beginningFault(bytes: Uint8Array, file: string): EatDmlError | undefined {
  const head = Buffer.from(bytes.subarray(0, BEGINNING)).toString('hex');
  if (BEGINNINGS.some((beginning) => beginning.test(head))) return undefined;
  const received = bytes.length === 0 ? 'an empty file' : `one that begins with ${head}`;
  return dataFault(file, 'a JPEG, PNG, WebP, GIF or TIFF image', received, { hint: BROKEN });
}

/** A plain JPEG by libjpeg-turbo, where the addon finds it: the bits of sharp's decoder in half its time. */
async function quickly(
  bytes: Uint8Array,
  look: (size: Size) => View,
  out?: Uint8Array,
): Promise<Uint8Array | undefined> {
  const frame = decodesJpeg() ? jpegFrame(bytes) : undefined;
  const { width = 0, height = 0, colours = 4 } = frame ?? {};
  if (colours === 4 || width * height === 0 || width * height > MOST_PIXELS) return undefined;
  return decodeJpeg({ bytes, width, height, ...sidesOf({ width, height }, look({ width, height })), out });
}

async function bySharp(bytes: Uint8Array, look: (size: Size) => View): Promise<Uint8Array> {
  const image = await opened(await loadSharp(), bytes);
  return viewed(image, look(image));
}

/** All pixels of the image; transparency, where there is one, is a fourth channel: colours below it stay. */
async function opened(sharp: SharpModule, bytes: Uint8Array): Promise<Bytes> {
  // Pillow's formula, not libvips's printing press, which is up to 15 levels away.
  if (await isPrinted(sharp, bytes)) {
    const inks = sharp(bytes, INPUT).pipelineColourspace('cmyk').toColourspace('cmyk');
    const { pixels, ...size } = await rawOf(inks);
    return { ...size, pixels: rgbOfCmyk(pixels), channels: 3 };
  }
  return rawOf(sharp(bytes, INPUT).toColourspace('srgb'));
}

/** Whether it is cyan, magenta, yellow and black: asking sharp takes a JPEG a tenth of the time of decoding it. */
async function isPrinted(sharp: SharpModule, bytes: Uint8Array): Promise<boolean> {
  const frame = jpegFrame(bytes);
  if (frame) return frame.colours === 4;
  return (await sharp(bytes, INPUT).metadata()).space === 'cmyk';
}

async function rawOf(image: Sharp): Promise<Bytes> {
  const { data: pixels, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels < 3 || pixels.length !== width * height * channels) {
    throw new Error(`${pixels.length} bytes of ${width} x ${height} pixels`);
  }
  return { pixels, width, height, channels };
}

/** Each of cyan, magenta and yellow taken from what black leaves: Pillow's formula, up to its rounding. */
function rgbOfCmyk(pixels: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((pixels.length / 4) * 3);
  for (let from = 0, to = 0; from < pixels.length; from += 4) {
    const light = 255 - pixels[from + 3];
    for (let c = 0; c < 3; c++) rgb[to++] = Math.round(((255 - pixels[from + c]) * light) / 255);
  }
  return rgb;
}

/** Luma by ITU-R BT.601, as Pillow's `convert('L')` has it. */
function greyOf(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length / 3);
  for (let i = 0, from = 0; i < grey.length; i++, from += 3) {
    grey[i] = Math.round(0.299 * rgb[from] + 0.587 * rgb[from + 1] + 0.114 * rgb[from + 2]);
  }
  return grey;
}

let loading: Promise<SharpModule> | undefined;

/** sharp, loaded when the first image is decoded: most programs need none. ERR_SYSTEM with the remedy where it is not there. */
export function loadSharp(): Promise<SharpModule> {
  loading ??= import('sharp').then(
    ({ default: sharp }) => {
      // Every image is decoded once an epoch: its cache only holds memory.
      sharp.cache(false);
      return sharp;
    },
    (cause) => {
      loading = undefined;
      throw new EatDmlError(
        'ERR_SYSTEM',
        'Expected the npm package sharp, which decodes images, but it does not load.',
        {
          hint: 'Run: npm install --include=optional sharp',
          cause,
        },
      );
    },
  );
  return loading;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0].slice(0, 200);
}
