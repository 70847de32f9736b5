import { endianness } from 'node:os';
import { dataFault } from './errors.js';

/** numpy's format of one array, versions 1 to 3, in memory. */

/** The content of a .npy file: an array of any rank, row-major. */
export interface NpyArray {
  /** Sizes of the dimensions, outermost first; [] of a single value. */
  shape: number[];
  /**
   * Row-major values, `product(shape)` of them: bytes of uint8 and booleans, float32 of float16 and float32, float64 of all others
   * (integers up to 2^53 exactly).
   */
  data: Uint8Array | Float32Array | Float64Array;
  /** True where the file holds integers (or booleans). */
  integer: boolean;
}

interface Kind {
  bytes: number;
  integer: boolean;
  unsignedByte?: true;
  /** The value at byte `at`. */
  read(view: DataView, at: number, little: boolean): number;
}

/** What numpy calls its plain types, without the byte order. */
const KINDS: Record<string, Kind> = {
  f2: { bytes: 2, integer: false, read: (view, at, little) => fromHalf(view.getUint16(at, little)) },
  f4: { bytes: 4, integer: false, read: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, integer: false, read: (view, at, little) => view.getFloat64(at, little) },
  b1: { bytes: 1, integer: true, unsignedByte: true, read: (view, at) => view.getUint8(at) },
  i1: { bytes: 1, integer: true, read: (view, at) => view.getInt8(at) },
  u1: { bytes: 1, integer: true, unsignedByte: true, read: (view, at) => view.getUint8(at) },
  i2: { bytes: 2, integer: true, read: (view, at, little) => view.getInt16(at, little) },
  u2: { bytes: 2, integer: true, read: (view, at, little) => view.getUint16(at, little) },
  i4: { bytes: 4, integer: true, read: (view, at, little) => view.getInt32(at, little) },
  u4: { bytes: 4, integer: true, read: (view, at, little) => view.getUint32(at, little) },
  i8: { bytes: 8, integer: true, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  u8: { bytes: 8, integer: true, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
};

const MAGIC = '\u0093NUMPY';
const LONGEST_HEADER = 1 << 16;
const HEADER = /^\{'descr': '([<>|=])(\w\d)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\),? ?\}\s*$/;

/** The array in the bytes of a .npy file; `name` is what errors, ERR_DATA, call it. */
export function decodeNpy(bytes: Uint8Array, name: string): NpyArray {
  const { kind, little, fortran, shape, start } = headerOf(bytes, name);
  const length = shape.reduce((product, size) => product * size, 1);
  const held = bytes.length - start;
  if (!Number.isSafeInteger(length) || held !== length * kind.bytes) {
    const expected = `${length * kind.bytes} bytes of values for shape (${shape.join(', ')})`;
    throw dataFault(name, expected, `${held}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, held);
  if (kind.unsignedByte && !fortran) return { shape, data: bytes.slice(start), integer: true };
  const wide = kind.integer || kind.bytes === 8;
  const data = kind.unsignedByte ? new Uint8Array(length) : wide ? new Float64Array(length) : new Float32Array(length);
  const at = fortran ? fortranOrder(shape) : (i: number) => i;
  for (let i = 0; i < length; i++) data[i] = kind.read(view, at(i) * kind.bytes, little);
  return { shape, data, integer: kind.integer };
}

/** The bytes of a .npy file: values as they are, in row-major order. */
export function encodeNpy(shape: readonly number[], data: Float32Array | Float64Array | Int32Array): Uint8Array {
  const type = data instanceof Int32Array ? 'i4' : data instanceof Float32Array ? 'f4' : 'f8';
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const order = endianness() === 'LE' ? '<' : '>';
  const dictionary = `{'descr': '${order}${type}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // Values begin at a multiple of 64 bytes; the header ends in a line break.
  const header = `${dictionary.padEnd(Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 11)}\n`;
  const head = Buffer.alloc(10 + header.length);
  head.write(MAGIC, 'latin1');
  head.writeUInt8(1, 6);
  head.writeUInt16LE(header.length, 8);
  head.write(header, 10, 'latin1');
  return Buffer.concat([head, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

function headerOf(bytes: Uint8Array, name: string) {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = file[6];
  const start = version > 1 ? 12 : 10;
  if (file.length < start || file.toString('latin1', 0, 6) !== MAGIC || version < 1 || version > 3) {
    throw dataFault(name, 'a .npy file', file.length === 0 ? 'an empty one' : 'another');
  }
  const length = version > 1 ? file.readUInt32LE(8) : file.readUInt16LE(8);
  if (length > LONGEST_HEADER || start + length > file.length) {
    throw dataFault(name, `a header of at most ${Math.min(LONGEST_HEADER, file.length - start)} bytes`, `${length}`);
  }
  const text = file.toString('latin1', start, start + length);
  const found = HEADER.exec(text);
  const kind = found && Object.hasOwn(KINDS, found[2]) ? KINDS[found[2]] : undefined;
  if (!found || !kind) {
    throw dataFault(name, 'an array of plain numbers', text.trim());
  }
  const [, order, , fortran, sizes] = found;
  const shape = sizes.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)]));
  const little = order === '<' || (order !== '>' && endianness() === 'LE');
  return { kind, little, fortran: fortran === 'True', shape, start: start + length };
}

/** Where the i-th value in row-major order lies in column-major order. */
function fortranOrder(shape: readonly number[]): (i: number) => number {
  const strides = shape.map((_, d) => shape.slice(0, d).reduce((product, size) => product * size, 1));
  return (i) => {
    let [rest, at] = [i, 0];
    for (let d = shape.length - 1; d >= 0; d--) {
      at += (rest % shape[d]) * strides[d];
      rest = Math.floor(rest / shape[d]);
    }
    return at;
  };
}

/** The value of a half-precision float's 16 bits. */
export function fromHalf(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size =
    exponent === 31
      ? fraction
        ? Number.NaN
        : Infinity
      : exponent === 0
        ? fraction * 2 ** -24
        : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits >> 15 ? -size : size;
}
