import { loadAddon } from '../../kernels/load-addon.js';
import { type ResampledSide, resample } from '../../kernels/network/index.js';
import type { Size, View } from '../transforms.js';

/** Bytes of an image, [height, width, channels], of which the first three are red, green and blue. */
export interface Bytes {
  pixels: Uint8Array;
  height: number;
  width: number;
  /** 3 or 4. */
  channels: number;
}

/** Of weights; a sum of bytes times weights then fits into 31 bits. */
const BITS = 22;

/**
 * The view of an image, [height, width, 3]: bilinear with antialiasing, across and then down, in the whole numbers that Pillow's
 * `Image.resize` takes, which torchvision's transforms call: the bits are the same, on every machine.
 */
export function viewed({ pixels, height, width, channels }: Bytes, view: View): Uint8Array {
  const image = { pixels, height, width, channels };
  const { across, down } = sidesOf(image, view);
  return loadAddon() ? resample({ ...image, across, down }) : resampled(image, across, down);
}

/** What the columns and the rows of a view are made of. */
export function sidesOf({ width, height }: Size, { part, resized, crop, flip }: View) {
  const seen = part ?? { left: 0, top: 0, width, height };
  const kept = crop ?? { left: 0, top: 0, ...resized };
  return {
    across: sideOf({ from: seen.left, size: seen.width, to: resized.width, first: kept.left, count: kept.width, flip }),
    down: sideOf({ from: seen.top, size: seen.height, to: resized.height, first: kept.top, count: kept.height }),
  };
}

interface Side {
  /** The pixels of the file's image that are resized, and to how many. */
  from: number;
  size: number;
  to: number;
  /** Which of those are kept. */
  first: number;
  count: number;
  flip?: boolean;
}

/** A triangle as wide as a pixel of the smaller of the two images is on the larger, around the middle of each place. */
function sideOf({ from, size, to, first, count, flip = false }: Side): ResampledSide {
  const scale = size / to;
  const support = Math.max(1, scale);
  const step = 2 + 2 * Math.ceil(support) + 1;
  const places = new Int32Array(count * step);
  const weights = new Float64Array(step);
  for (let i = 0; i < count; i++) {
    const middle = (first + i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(middle - support + 0.5));
    const taps = Math.min(size, Math.trunc(middle + support + 0.5)) - low;
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      weights[tap] = Math.max(0, 1 - Math.abs((tap + low - middle + 0.5) * (1 / support)));
      sum += weights[tap];
    }
    const at = (flip ? count - 1 - i : i) * step;
    places[at] = from + low;
    places[at + 1] = taps;
    for (let tap = 0; tap < taps; tap++) places[at + 2 + tap] = Math.floor(weights[tap] * (1 / sum) * 2 ** BITS + 0.5);
  }
  return { count, step, places };
}

/** What the addon does, where there is none. */
function resampled({ pixels, width, channels }: Bytes, across: ResampledSide, down: ResampledSide): Uint8Array {
  const line = across.count * 3;
  const [first, last] = reach(down);
  const middle = new Uint8Array((last - first) * line);
  for (let y = first; y < last; y++) {
    acrossRow(pixels, y * width * channels, channels, across, middle.subarray((y - first) * line));
  }
  const out = new Uint8Array(down.count * line);
  const sums = new Int32Array(line);
  for (let y = 0, at = 0; y < down.count; y++, at += down.step) {
    sums.fill(1 << (BITS - 1));
    for (let tap = 0; tap < down.places[at + 1]; tap++) {
      const weight = down.places[at + 2 + tap];
      const from = (down.places[at] - first + tap) * line;
      for (let x = 0; x < line; x++) sums[x] += Math.imul(middle[from + x], weight);
    }
    for (let x = 0; x < line; x++) out[y * line + x] = sums[x] >> BITS;
  }
  return out;
}

/** The first pixel of all places, and the one behind the last. */
function reach({ count, step, places }: ResampledSide): [number, number] {
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  for (let at = 0; at < count * step; at += step) {
    first = Math.min(first, places[at]);
    last = Math.max(last, places[at] + places[at + 1]);
  }
  return [first, last];
}

function acrossRow(pixels: Uint8Array, row: number, channels: number, side: ResampledSide, out: Uint8Array): void {
  const { count, step, places } = side;
  for (let i = 0, at = 0; i < count; i++, at += step) {
    let [red, green, blue] = [1 << (BITS - 1), 1 << (BITS - 1), 1 << (BITS - 1)];
    let from = row + places[at] * channels;
    for (let tap = 0; tap < places[at + 1]; tap++, from += channels) {
      const weight = places[at + 2 + tap];
      red += Math.imul(pixels[from], weight);
      green += Math.imul(pixels[from + 1], weight);
      blue += Math.imul(pixels[from + 2], weight);
    }
    out[3 * i] = red >> BITS;
    out[3 * i + 1] = green >> BITS;
    out[3 * i + 2] = blue >> BITS;
  }
}
