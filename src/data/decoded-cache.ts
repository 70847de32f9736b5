import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defaultCacheDir } from '../cache-folder.js';
import { dataFault, EatDmlError, invalid, throwIfAborted } from '../errors.js';
import { counter, type LongWork, longWork } from '../long-work.js';
import { parseOptions, path as pathSchema } from '../options.js';
import { pixelTensor } from '../tfjs/index.js';
import { fillAtomically } from '../write-atomically.js';
import { checkIndices, digestOf } from './dataset.js';
import { type BatchOptions, checkSource, type Source } from './source.js';

const decodedCacheOptions = z.strictObject({
  folder: pathSchema.optional().describe('where the pixels are kept (default of all caches)'),
  ...longWork,
});

/** Options of {@link decodedCache}. */
export type DecodedCacheOptions = z.input<typeof decodedCacheOptions>;

/** Of the layout, and of how pixels are made: until 1 libvips resized them. */
const FORM = 2;
/** The first bytes of the file. */
const MAGIC = Buffer.from(`eat-dml pixels ${FORM}`);
/** SHA-256, in hex, of the source. */
const HASH_BYTES = 64;
const HEADER = MAGIC.length + HASH_BYTES;
/** Of the checksum of one image: 64 bits of its SHA-256, little-endian. */
const CHECKSUM = 8;
/** Images that are decoded at a time while the file is made. */
const MADE = 64;

/**
 * `source`, with its pixels as evaluation sees them kept on disk: the file is made when none of the source's hash lies in the
 * folder, whole or not at all, and takes as many bytes as the source has values. Batches are read from it, every image held
 * against its checksum; no more than a batch is in memory. Batches with a `draw` are made by the source itself: its random views
 * are of the files.
 *
 * @throws EatDmlError ERR_DATA that names the file where it is damaged; what the source throws, and ERR_SYSTEM or ERR_PATH, where
 *   it cannot be made; ERR_ABORTED.
 */
export async function decodedCache(source: Source, options: DecodedCacheOptions = {}): Promise<Source> {
  const { folder = join(defaultCacheDir(), 'decoded'), ...work } = parseOptions(decodedCacheOptions, options);
  checkSource('source', source);
  const hash = await source.hash(work);
  if (!/^[0-9a-f]{64}$/.test(hash)) throw invalid('source.hash()', 'a SHA-256 in hex', hash);
  const path = join(folder, `${hash.slice(0, 32)}.${FORM}.pixels`);
  const kept: Kept = {
    path,
    hash,
    count: source.labels.length,
    size: source.shape[0] * source.shape[1] * source.shape[2],
  };
  if (!(await isKept(kept))) await make(kept, source, work);
  return {
    ...source,
    batch: async (indices, options = {}) => {
      if (options.draw !== undefined) return source.batch(indices, options);
      checkIndices(indices, kept.count);
      const pixels = await withFile(kept, (file) => readImages(file, kept, indices, options));
      return pixelTensor(pixels, [indices.length, ...source.shape]);
    },
    prefetch: (indices, options = {}) => {
      if (options.draw !== undefined) source.prefetch?.(indices, options);
    },
  };
}

interface Kept {
  path: string;
  hash: string;
  count: number;
  /** Bytes of an image. */
  size: number;
}

/** True where the file is there; throws where it is another or was cut. */
async function isKept(kept: Kept): Promise<boolean> {
  try {
    await withFile(kept, async (file) => {
      const expected = Buffer.concat([MAGIC, Buffer.from(kept.hash)]);
      const head = await readAt(file, kept, 0, HEADER);
      if (!expected.equals(head)) throw damaged(kept, 'the header of these pixels', 'another');
      const [length, bytes] = [HEADER + kept.count * (kept.size + CHECKSUM), (await file.stat()).size];
      if (bytes !== length) throw damaged(kept, `${length} bytes`, `${bytes}`);
    });
    return true;
  } catch (error) {
    if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return false;
    throw error;
  }
}

/** Decodes all images into the file: its header, the images one after the other, their checksums. */
async function make({ path, hash, count, size }: Kept, source: Source, work: LongWork): Promise<void> {
  const { signal } = work;
  const made = counter('decode', count, work.onProgress);
  const batches = Array.from({ length: Math.ceil(count / MADE) }, (_, b) =>
    Int32Array.from({ length: Math.min(MADE, count - b * MADE) }, (_, i) => b * MADE + i),
  );
  await fillAtomically(path, async (file) => {
    const checksums = Buffer.alloc(count * CHECKSUM);
    await file.appendFile(Buffer.concat([MAGIC, Buffer.from(hash)]));
    for (const [b, indices] of batches.entries()) {
      throwIfAborted(signal);
      if (b + 1 < batches.length) source.prefetch?.(batches[b + 1], { signal });
      const images = await source.batch(indices, { signal });
      const pixels = Uint8Array.from(await images.data<'float32'>(), (value) => Math.round(255 * value));
      images.dispose();
      for (const [at, index] of indices.entries()) {
        checksums.writeBigUInt64LE(digestOf(pixels.subarray(at * size, (at + 1) * size)), index * CHECKSUM);
      }
      await file.appendFile(pixels);
      made(indices.length);
    }
    await file.appendFile(checksums);
  });
}

async function readImages(file: FileHandle, kept: Kept, indices: ArrayLike<number>, { signal }: BatchOptions) {
  const { size, count } = kept;
  const pixels = new Uint8Array(indices.length * size);
  for (let at = 0; at < indices.length; at++) {
    throwIfAborted(signal);
    const index = indices[at];
    const image = pixels.subarray(at * size, (at + 1) * size);
    await readAt(file, kept, HEADER + index * size, size, image);
    const checksum = await readAt(file, kept, HEADER + count * size + index * CHECKSUM, CHECKSUM);
    if (Buffer.from(checksum).readBigUInt64LE() !== digestOf(image)) {
      throw damaged(kept, `the pixels of image ${index} that were kept`, 'others');
    }
  }
  return pixels;
}

async function readAt(file: FileHandle, kept: Kept, position: number, length: number, into = new Uint8Array(length)) {
  for (let held = 0; held < length; ) {
    const { bytesRead } = await file.read(into, held, length - held, position + held);
    if (bytesRead === 0) throw damaged(kept, `${length} bytes at ${position}`, `${held}`);
    held += bytesRead;
  }
  return into;
}

/** The file is open only while a batch is read: nobody has to close it. */
async function withFile<T>(kept: Kept, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(kept.path).catch((cause) => {
    throw new EatDmlError('ERR_DATA', `Expected decoded images but received ${cause.code} at ${kept.path}.`, { cause });
  });
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

function damaged({ path }: Kept, expected: string, received: string): EatDmlError {
  const hint = 'Delete it: it is made anew from the files.';
  return dataFault(path, expected, received, { hint });
}
