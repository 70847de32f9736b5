import type { Size } from '../transforms.js';

/** What the frame of a JPEG says of it. */
export interface JpegFrame extends Size {
  /** 1 is grey, 3 are red, green and blue in some form, 4 are inks. */
  colours: number;
}

/** C0 to CF are frames, but for the tables of Huffman and arithmetic codes, and JPG, which is reserved. */
const NO_FRAMES = [0xc4, 0xc8, 0xcc];

/** The frame of a JPEG (ITU T.81, B.2.2), found by its markers; undefined of what is no JPEG, has no frame, or has bytes between markers. */
export function jpegFrame(bytes: Uint8Array): JpegFrame | undefined {
  for (let at = 2; bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1];
    if (marker >= 0xc0 && marker <= 0xcf && !NO_FRAMES.includes(marker)) {
      const number = (from: number) => 256 * bytes[from] + bytes[from + 1];
      return at + 9 < bytes.length
        ? { height: number(at + 5), width: number(at + 7), colours: bytes[at + 9] }
        : undefined;
    }
    // FF before a marker is filling.
    if (marker === 0xff) at++;
    else at += 2 + 256 * bytes[at + 2] + bytes[at + 3];
  }
  return undefined;
}
