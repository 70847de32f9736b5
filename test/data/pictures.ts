import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { type ImageFilesOptions, imageFiles } from '../../src/data/image-files.js';
import type { Source } from '../../src/data/source.js';

const COUNT = 12;
export const files = Array.from({ length: COUNT }, (_, i) => `${i % 3}/${i}.${i % 2 ? 'png' : 'jpg'}`);
export const labels = files.map((_, i) => i % 3);

/** A picture of its own for each number, 40 x 30 or 30 x 40. */
export function picture(i: number) {
  const [width, height] = i % 4 < 2 ? [40, 30] : [30, 40];
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, at) => 128 + 120 * Math.sin(at / (7 + i)));
  const image = sharp(pixels, { raw: { width, height, channels: 3 } });
  return (i % 2 ? image.png() : image.jpeg()).toBuffer();
}

/** A new folder with the pictures in it. */
export async function folderOfPictures(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'eat-dml-images-'));
  for (const label of new Set(labels)) await mkdir(join(root, `${label}`));
  for (const [i, file] of files.entries()) await writeFile(join(root, file), await picture(i));
  return root;
}

export const random = { randomResizedCrop: 16, flip: true };

/** The pictures in `root` as a source of 16 x 16 pixels. */
export function pictures(root: string, options: Partial<ImageFilesOptions> = {}): Source {
  return imageFiles({ name: 'pictures', root, files, labels, transform: { resize: 20, crop: 16 }, ...options });
}
