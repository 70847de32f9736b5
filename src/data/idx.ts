import { constants } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { promisify } from 'node:util';
import { createGunzip, gzip } from 'node:zlib';
import { dataFault, describe, EatDmlError, invalid } from '../errors.js';
import { parse, path as pathSchema } from '../options.js';
import { writeAtomically } from '../write-atomically.js';
import { invalidShape } from './image-shape.js';

/** The values of an IDX file, in any of its types. */
export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** The content of an IDX file: an array of any rank. */
export interface IdxArray {
  /** Sizes of the dimensions, outermost first. */
  shape: number[];
  /** Row-major values, `product(shape)` of them. */
  data: IdxData;
}

type IdxDataConstructor = (new (buffer: ArrayBufferLike) => IdxData) & { BYTES_PER_ELEMENT: number };

/** The type byte of the format and the array it stands for. */
const TYPES: { code: number; array: IdxDataConstructor }[] = [
  { code: 0x08, array: Uint8Array },
  { code: 0x09, array: Int8Array },
  { code: 0x0b, array: Int16Array },
  { code: 0x0c, array: Int32Array },
  { code: 0x0d, array: Float32Array },
  { code: 0x0e, array: Float64Array },
];

/** DEFLATE makes at most this many bytes of one: 258 of two bits. */
const MOST_INFLATED = 1032;
/** Bytes that a gzipped file is inflated by at a time: what comes beyond the array's end is never more. */
const CHUNK = 1 << 18;
const LONGEST_HEADER = 4 + 4 * 255;

/**
 * Reads an IDX file (the format of MNIST), gzipped or not: which one is seen from its first bytes, not from its name. Of a
 * gzipped one no more is inflated than its header says.
 *
 * @throws EatDmlError ERR_DATA when it cannot be read, or is no IDX file, truncated, or followed by other bytes.
 */
export async function readIdx(path: string): Promise<IdxArray> {
  parse(pathSchema, path, 'path');
  return decodeIdx(await bytesOf(path), path);
}

/** The bytes of the file at `path`; ERR_DATA where it cannot be read. `what` is what errors call it. */
export function bytesOf(path: string, what = 'IDX file'): Promise<Uint8Array> {
  return readFile(path).catch((cause) => {
    throw unreadable(path, cause, what);
  });
}

function unreadable(path: string, cause: unknown, what = 'IDX file'): EatDmlError {
  return new EatDmlError('ERR_DATA', `Expected a readable ${what} but received ${reason(cause)} at ${path}.`, {
    cause,
  });
}

/**
 * Writes an IDX file, gzipped when the name ends in `.gz`; atomically: never a half-written file under `path`.
 *
 * @throws EatDmlError ERR_ARGUMENT when `shape` and `data` don't fit, ERR_SYSTEM or ERR_PATH when it cannot be written.
 */
export async function writeIdx(path: string, array: IdxArray): Promise<void> {
  parse(pathSchema, path, 'path');
  await writeAtomically(path, await encodeIdxFile(path, array));
}

/** The bytes of an IDX file at `path`, gzipped when the name ends in `.gz`. */
export async function encodeIdxFile(path: string, array: IdxArray): Promise<Uint8Array> {
  const bytes = encodeIdx(array);
  return path.endsWith('.gz') ? promisify(gzip)(bytes) : bytes;
}

/** The array in the bytes of an IDX file, gzipped or not; `path` names them in errors. Copies, so `bytes` may be reused. */
export async function decodeIdx(bytes: Uint8Array, path: string): Promise<IdxArray> {
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const content = zipped ? await inflated(bytes, path) : bytes;
  const { shape, type, start, length } = headerOf(content, path);
  const held = content.length - start;
  // What was inflated ends soon after the array, whatever more there is.
  if (held !== length) throw lengthError(path, { shape, type, length }, zipped && held > length ? 'more' : `${held}`);
  const body = new Uint8Array(content.subarray(start));
  return { shape, data: new type.array(swapped(body, type.array.BYTES_PER_ELEMENT).buffer) };
}

/** A gzipped IDX file inflated, up to a chunk beyond the array that its header announces. */
async function inflated(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  gunzip.end(bytes);
  const parts: Uint8Array[] = [];
  let [held, end] = [0, 0];
  try {
    for await (const part of gunzip as AsyncIterable<Uint8Array>) {
      parts.push(part);
      held += part.length;
      if (end === 0 && held >= LONGEST_HEADER) end = endOf(Buffer.concat(parts), bytes.length, path);
      // Leaving the loop ends the inflation.
      if (end > 0 && held > end) break;
    }
  } catch (error) {
    throw error instanceof EatDmlError ? error : unreadable(path, error);
  }
  return Buffer.concat(parts);
}

/** Where the array of the header ends; throws where no file of `zipped` bytes, and no array here, can hold that much. */
function endOf(head: Uint8Array, zipped: number, path: string): number {
  const { start, length, ...header } = headerOf(head, path);
  const most = Math.min(zipped * MOST_INFLATED, constants.MAX_LENGTH);
  if (start + length > most) throw lengthError(path, { ...header, length }, `at most ${most - start}`);
  return start + length;
}

interface IdxHeader {
  shape: number[];
  type: (typeof TYPES)[number];
  /** Where the values begin, and how many bytes they take. */
  start: number;
  length: number;
}

function headerOf(bytes: Uint8Array, path: string): IdxHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) throw dataFault(path, 'an IDX header of at least 4 bytes', `${bytes.length} bytes`);
  const type = TYPES.find(({ code }) => code === bytes[2]);
  if (view.getUint16(0) !== 0 || !type || bytes[3] === 0) {
    const magic = `0x${view.getUint32(0).toString(16).padStart(8, '0')}`;
    throw dataFault(path, 'the magic number of IDX (0x000008NN to 0x00000eNN, NN dimensions)', magic);
  }
  const start = 4 + 4 * bytes[3];
  if (bytes.length < start)
    throw dataFault(path, `a header of ${start} bytes (${bytes[3]} dimensions)`, `${bytes.length}`);
  const shape = Array.from({ length: bytes[3] }, (_, i) => view.getUint32(4 + 4 * i));
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, type, start, length: count * type.array.BYTES_PER_ELEMENT };
}

function lengthError(path: string, { shape, type, length }: Omit<IdxHeader, 'start'>, received: string): EatDmlError {
  const sizes = `${shape.join(' x ')} x ${type.array.BYTES_PER_ELEMENT}`;
  return dataFault(path, `${length} bytes of data (${sizes})`, received);
}

/** The bytes of an IDX file, not gzipped. */
function encodeIdx(array: IdxArray): Uint8Array {
  const { shape, data } = array ?? {};
  const type = TYPES.find(({ array }) => data instanceof array);
  if (!type)
    throw invalid('data', 'a Uint8Array, Int8Array, Int16Array, Int32Array, Float32Array or Float64Array', data);
  if (!Array.isArray(shape) || shape.length < 1 || shape.length > 255 || ![...shape].every(isDimension)) {
    throw invalidShape('1 to 255 integers in [0, 2^32)', shape);
  }
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== data.length) throw invalid('data', `${count} values (${shape.join(' x ')})`, data);
  const start = 4 + 4 * shape.length;
  const bytes = new Uint8Array(start + data.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, (type.code << 8) | shape.length);
  shape.forEach((size, i) => {
    view.setUint32(4 + 4 * i, size);
  });
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  swapped(bytes.subarray(start), data.BYTES_PER_ELEMENT);
  return bytes;
}

/** Turns big-endian values into this machine's order, or back, in place. */
function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (endianness() === 'BE' || width === 1) return bytes;
  if (width === 2) buffer.swap16();
  else if (width === 4) buffer.swap32();
  else buffer.swap64();
  return bytes;
}

function isDimension(size: unknown): boolean {
  return Number.isSafeInteger(size) && (size as number) >= 0 && (size as number) < 2 ** 32;
}

/** What the file system or zlib said, such as ENOENT or "unexpected end of file". */
function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code?.startsWith('E') ? code : message ? `"${message}"` : describe(error);
}
