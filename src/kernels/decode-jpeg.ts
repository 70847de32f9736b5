import { checkUint8Length } from './integers.js';
import { type AddonKernel, loadAddon } from './load-addon.js';
import { type ResampledSide, readSides } from './network/resample.js';

export interface DecodeJpegOptions {
  /** The file. */
  bytes: Uint8Array;
  /** As its frame says. */
  height: number;
  width: number;
  across: ResampledSide;
  down: ResampledSide;
  /** [down.count, across.count, 3]; unspecified where nothing is returned. */
  out?: Uint8Array;
}

/** Whether {@link decodeJpeg} can decode: the addon is there, and the system has libjpeg-turbo (libturbojpeg). */
export function decodesJpeg(): boolean {
  return loadAddon()?.decodeJpeg !== undefined;
}

/**
 * The pixels of a JPEG, at another size as `resample` makes it: [down.count, across.count, 3], off the event loop. Undefined where the
 * file is not of that size, is of four colours, or has anything that libjpeg-turbo warns of: ask a decoder that says what.
 */
export async function decodeJpeg({
  bytes,
  height,
  width,
  across,
  down,
  out = new Uint8Array(down.count * across.count * 3),
}: DecodeJpegOptions): Promise<Uint8Array | undefined> {
  const decode = loadAddon()?.decodeJpeg as AddonKernel | undefined;
  if (!decode) return undefined;
  const sides = readSides({ height, width, across, down });
  const decoded = new Int32Array(1);
  checkUint8Length('out', out, sides.rows * sides.columns * 3);
  await decode({ bytes, length: bytes.length, height, width, channels: 3, ...sides, decoded, out }, true)!.promise;
  return decoded[0] === 1 ? out : undefined;
}
