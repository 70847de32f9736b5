import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { describe, EatDmlError, invalid } from '../errors.js';
import { invalidShape } from './dataset.js';
import { writeAtomically } from './write-atomically.js';

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

/**
 * Reads an IDX file (the format of MNIST), gzipped or not: which one is seen from its first bytes, not from its name.
 *
 * @throws EatDmlError ERR_DATA when it cannot be read, or is no IDX file, truncated, or followed by other bytes.
 */
export async function readIdx(path: string): Promise<IdxArray> {
  try {
    const bytes = await readFile(path);
    return decodeIdx(bytes[0] === 0x1f && bytes[1] === 0x8b ? await promisify(gunzip)(bytes) : bytes, path);
  } catch (error) {
    if (error instanceof EatDmlError) throw error;
    throw new EatDmlError('ERR_DATA', `Expected a readable IDX file but received ${reason(error)} at ${path}.`, {
      cause: error,
    });
  }
}

/**
 * Writes an IDX file, gzipped when the name ends in `.gz`; atomically: never a half-written file under `path`.
 *
 * @throws EatDmlError ERR_ARGUMENT when `shape` and `data` don't fit, ERR_DATA when it cannot be written.
 */
export async function writeIdx(path: string, array: IdxArray): Promise<void> {
  const bytes = encodeIdx(array);
  try {
    await writeAtomically(path, path.endsWith('.gz') ? await promisify(gzip)(bytes) : bytes);
  } catch (error) {
    throw new EatDmlError('ERR_DATA', `Expected a writable path but received ${reason(error)} at ${path}.`, {
      cause: error,
    });
  }
}

/** The array in the bytes of an IDX file; `source` names them in errors. Copies, so `bytes` may be reused. */
function decodeIdx(bytes: Uint8Array, source: string): IdxArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wrong = (expected: string, received: string) =>
    new EatDmlError('ERR_DATA', `Expected ${expected} but received ${received} in ${source}.`);
  if (bytes.length < 4) throw wrong('an IDX header of at least 4 bytes', `${bytes.length} bytes`);
  const type = TYPES.find(({ code }) => code === bytes[2]);
  if (view.getUint16(0) !== 0 || !type || bytes[3] === 0) {
    const magic = `0x${view.getUint32(0).toString(16).padStart(8, '0')}`;
    throw wrong('the magic number of IDX (0x000008NN to 0x00000eNN, NN dimensions)', magic);
  }
  const start = 4 + 4 * bytes[3];
  if (bytes.length < start) throw wrong(`a header of ${start} bytes (${bytes[3]} dimensions)`, `${bytes.length}`);
  const shape = Array.from({ length: bytes[3] }, (_, i) => view.getUint32(4 + 4 * i));
  const count = shape.reduce((product, size) => product * size, 1);
  const width = type.array.BYTES_PER_ELEMENT;
  if (bytes.length - start !== count * width) {
    throw wrong(`${count * width} bytes of data (${shape.join(' x ')} x ${width})`, `${bytes.length - start}`);
  }
  const body = new Uint8Array(bytes.subarray(start));
  return { shape, data: new type.array(swapped(body, width).buffer) };
}

/** The bytes of an IDX file. */
function encodeIdx({ shape, data }: IdxArray): Uint8Array {
  const type = TYPES.find(({ array }) => data instanceof array);
  if (!type)
    throw invalid('data', 'a Uint8Array, Int8Array, Int16Array, Int32Array, Float32Array or Float64Array', data);
  if (!Array.isArray(shape) || shape.length < 1 || shape.length > 255 || !shape.every(isDimension)) {
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
