import * as tf from '#tf';
import type { Source } from '../../data/index.js';
import { throwIfAborted } from '../../errors.js';
import type { Pixels } from './gathered.js';

/** Sides at most, in pixels: of the images of a map, and of pictures. */
const SMALL = 32;
const LARGE = 128;
/** Images that are made small at a time. */
const BATCH = 128;

type Shape = readonly [height: number, width: number, channels: number];

/** The size of an image within a square: it is never made larger. */
function within([height, width]: Shape, side: number): [height: number, width: number] {
  const scale = Math.min(1, side / Math.max(height, width));
  return [Math.max(1, Math.round(height * scale)), Math.max(1, Math.round(width * scale))];
}

/** The images of these rows, small. */
export async function thumbnailsOf(source: Source, rows: Int32Array, signal?: AbortSignal): Promise<Pixels> {
  const [height, width] = within(source.shape, SMALL);
  const channels = source.shape[2];
  const size = height * width * channels;
  const data = new Uint8Array(rows.length * size);
  for (let start = 0; start < rows.length; start += BATCH) {
    throwIfAborted(signal);
    const images = await source.batch(rows.subarray(start, start + BATCH), { signal });
    data.set(await bytesOf(images, [height, width]), start * size);
  }
  return { data, count: rows.length, height, width, channels };
}

/** One image of a set, as large as a page shows it; its values as they are, too. */
export async function imageOf(
  source: Source,
  row: number,
  signal?: AbortSignal,
): Promise<{ values: Float32Array; pixels: Pixels }> {
  const image = await source.batch(Int32Array.of(row), { signal });
  const values = await image.data<'float32'>();
  image.dispose();
  return { values, pixels: await pixelsOf(values, source.shape) };
}

export async function pixelsOf(values: Float32Array, shape: Shape, nearest = false): Promise<Pixels> {
  const [height, width] = within(shape, LARGE);
  const data = await bytesOf(tf.tensor4d(values, [1, ...shape]), [height, width], nearest);
  return { data, count: 1, height, width, channels: shape[2] };
}

/** Attacked less clean, about grey, as strong as fits; of pixels as they are, for means of noise are none. */
export async function perturbationOf(
  clean: Float32Array,
  attacked: Float32Array,
  shape: Shape,
): Promise<{ perturbation: Pixels; magnified: number }> {
  const changes = attacked.map((value, i) => value - clean[i]);
  const most = changes.reduce((max, change) => Math.max(max, Math.abs(change)), 0);
  const magnified = most === 0 ? 1 : 0.5 / most;
  const shown = changes.map((change) => 0.5 + change * magnified);
  return { perturbation: await pixelsOf(shown, shape, true), magnified };
}

/** Bytes of images [n, h, w, c] in [0, 1], of another size. The images are freed. */
async function bytesOf(images: tf.Tensor4D, size: [number, number], nearest = false): Promise<Uint8Array> {
  const resized = tf.tidy(() => {
    const same = images.shape[1] === size[0] && images.shape[2] === size[1];
    if (same) return images.clone();
    return nearest ? tf.image.resizeNearestNeighbor(images, size) : tf.image.resizeBilinear(images, size);
  });
  images.dispose();
  const values = await resized.data<'float32'>();
  resized.dispose();
  return Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
}
