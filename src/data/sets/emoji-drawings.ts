import { dataFault, throwIfAborted } from '../../errors.js';
import { counter, type LongWork } from '../../long-work.js';
import { loadSharp } from '../decoding/decode.js';
import { gate } from '../decoding/gate.js';
import { FETCH_EMOJI, type Icon } from './emoji-packages.js';

/** Drawings that are rendered at a time; the pool of threads does it. */
const LANES = 16;

/** The versions of all that has a say in pixels. */
export async function rendererVersion(): Promise<string> {
  const { sharp, vips, rsvg, cairo } = (await loadSharp()).versions;
  return [sharp, vips, rsvg, cairo].join(' ');
}

/**
 * Drawings as bytes, [n, side, side, 3]: each as large as fits, in the middle, on white. `iconOf` gives the one to render and
 * what errors call it. The same bits in whatever order they are done.
 *
 * @throws EatDmlError ERR_DATA that names the drawing which cannot be rendered; ERR_ABORTED.
 */
export async function renderDrawings(
  count: number,
  iconOf: (at: number) => { name: string; icon: Icon },
  side: number,
  { signal, onProgress }: LongWork = {},
): Promise<Uint8Array> {
  const size = side * side * 3;
  const images = new Uint8Array(count * size);
  const enter = gate(LANES);
  const drawn = counter('render', count, onProgress);
  let failed = false;
  const work = Array.from({ length: count }, (_, at) =>
    enter(async () => {
      if (failed) return;
      const { name, icon } = iconOf(at);
      images.set(await renderIcon(icon, side, name), at * size);
      drawn();
    }, signal).catch((error) => {
      failed = true;
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(work);
  throwIfAborted(signal);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return images;
}

async function renderIcon({ body, left, top, width, height }: Icon, side: number, name: string): Promise<Uint8Array> {
  const sharp = await loadSharp();
  // The drawing itself is scaled, not its pixels; SVG centres what is not square.
  const size = `width="${side}" height="${side}" viewBox="${left} ${top} ${width} ${height}"`;
  const svg = Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${size}>${body}</svg>`);
  try {
    const drawing = sharp(svg).flatten({ background: '#ffffff' }).toColourspace('srgb').removeAlpha();
    const pixels = await drawing.raw({ depth: 'uchar' }).toBuffer();
    if (pixels.length === side * side * 3) return pixels;
    throw new Error(`${pixels.length} bytes of pixels`);
  } catch (cause) {
    const [received] = (cause as Error).message.split('\n', 1);
    throw dataFault(name, `a drawing that makes ${side} x ${side} x 3 bytes`, `"${received}"`, {
      hint: FETCH_EMOJI,
      cause,
    });
  }
}
