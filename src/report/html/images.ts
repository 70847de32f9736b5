import type { Pixels } from '../../evaluation/index.js';

/** The first image of some as the address of a PNG that is the address itself. */
export async function pngUri({ data, height, width, channels }: Pixels): Promise<string> {
  const { default: sharp } = await import('sharp');
  const raw = { width, height, channels: channels as 1 | 3 };
  const bytes = data.subarray(0, height * width * channels);
  const png = await sharp(bytes, { raw }).toColourspace('srgb').png({ compressionLevel: 9 }).toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}

/** Images side by side in one, so many in a row. */
export interface Sheet {
  uri: string;
  columns: number;
  width: number;
  height: number;
}

/** All images of a sample in one picture, lossy: they are looked at while the pointer is over their points. */
export async function sheetOf(pixels: Pixels): Promise<Sheet> {
  const { default: sharp } = await import('sharp');
  const { count, height, width, channels } = pixels;
  const columns = Math.ceil(Math.sqrt(count));
  const lines = Math.ceil(count / columns);
  const all = new Uint8Array(columns * width * lines * height * channels);
  for (let i = 0; i < count; i++) {
    const [left, top] = [(i % columns) * width, Math.floor(i / columns) * height];
    for (let line = 0; line < height; line++) {
      const from = (i * height + line) * width * channels;
      const to = ((top + line) * columns * width + left) * channels;
      all.set(pixels.data.subarray(from, from + width * channels), to);
    }
  }
  const raw = { width: columns * width, height: lines * height, channels: channels as 1 | 3 };
  const webp = await sharp(all, { raw }).toColourspace('srgb').webp({ quality: 60 }).toBuffer();
  return { uri: `data:image/webp;base64,${webp.toString('base64')}`, columns, width, height };
}
