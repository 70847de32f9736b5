import { throwIfAborted } from '../../errors.js';
import { randomStream } from '../../random.js';
import { readBounded } from '../read-bounded.js';
import { outputSide, type Size, type Transform, viewOf } from '../transforms.js';
import { type Channels, decodeImage } from './decode.js';
import { type Gate, untilAborted } from './gate.js';

/** The images of a batch, as plain values: any thread reads the same bytes. */
export interface WantedImages {
  /** The image at each place of the batch. */
  indices: Int32Array;
  /** The file of each. */
  paths: readonly string[];
  channels: Channels;
  transform: Transform;
  /** Of the random views. */
  seed: number;
  draw?: number;
}

/** How many bytes {@link readPixels} gives. */
export function pixelsLength({ indices, channels, transform }: WantedImages): number {
  return indices.length * outputSide(transform) ** 2 * channels;
}

/** The pixels of a batch, [indices.length, side, side, channels]; into `pixels`, where memory is given. */
export function readPixels(
  wanted: WantedImages,
  enter: Gate,
  signal?: AbortSignal,
  pixels: Uint8Array = new Uint8Array(pixelsLength(wanted)),
): Promise<Uint8Array> {
  const { indices, paths, channels, transform, seed, draw } = wanted;
  const size = pixels.length / indices.length;
  const before = new Map<number, number>();
  return inOrder(enter, indices, signal, (index, at) => {
    const nth = before.get(index) ?? 0;
    before.set(index, nth + 1);
    return async () => {
      const file = paths[at];
      const bytes = await imageBytes(file, signal);
      const random = draw === undefined ? undefined : randomStream(seed, 'view', draw, index, nth);
      const place = pixels.subarray(at * size, (at + 1) * size);
      const view = (seen: Size) => viewOf(transform, seen, random);
      const decoded = await decodeImage(bytes, file, view, channels, channels === 3 ? place : undefined);
      if (decoded !== place) place.set(decoded);
    };
  }).then(() => pixels);
}

/** Does what `prepare` gives for each index, as the gate lets it. Of several failures it is the first index's that is thrown. */
export async function inOrder(
  enter: Gate,
  indices: ArrayLike<number>,
  signal: AbortSignal | undefined,
  prepare: (index: number, at: number) => () => Promise<void>,
): Promise<void> {
  let failed = false;
  const work = Array.from(indices, (index, at) => {
    const task = prepare(index, at);
    // Those before one that failed were begun before it; those that were not are not needed any more.
    const unlessFailed = async () => {
      if (failed) return;
      await task();
    };
    return enter(unlessFailed, signal).catch((error) => {
      failed = true;
      throw error;
    });
  });
  const outcomes = await untilAborted(Promise.allSettled(work), signal);
  throwIfAborted(signal);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** More than any image has that is decoded. */
const MOST_BYTES = 2 ** 30;

/** The bytes of an image's file; ERR_DATA that names it. */
export function imageBytes(file: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  return readBounded(file, MOST_BYTES, { what: 'image', signal });
}
