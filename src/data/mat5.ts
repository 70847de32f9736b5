import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import { EatDmlError } from '../errors.js';
import { readBounded } from './read-bounded.js';

/** An array of a MATLAB file. Sizes are [rows, columns, ...]; elements are in MATLAB's order, the first index fastest. */
export type MatArray =
  | { kind: 'numbers'; shape: number[]; data: Float64Array }
  | { kind: 'text'; shape: number[]; lines: string[] }
  | { kind: 'cell'; shape: number[]; values: MatArray[] }
  | { kind: 'struct'; shape: number[]; fields: Map<string, MatArray[]> };

/** Bytes that a file may hold, packed or not: four times what the largest of CARS196 holds. */
const MOST = 1 << 25;
/** Cells in cells; a file that nests deeper would end in a stack overflow. */
const DEEPEST = 16;
/** Fields of a struct, and lines of a text. */
const MOST_NAMES = 4096;

/** Numbers by their type in the file: width in bytes, and how one is read. */
const NUMBERS: Record<number, [width: number, read: (view: DataView, at: number, little: boolean) => number]> = {
  1: [1, (view, at) => view.getInt8(at)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [2, (view, at, little) => view.getInt16(at, little)],
  4: [2, (view, at, little) => view.getUint16(at, little)],
  5: [4, (view, at, little) => view.getInt32(at, little)],
  6: [4, (view, at, little) => view.getUint32(at, little)],
  7: [4, (view, at, little) => view.getFloat32(at, little)],
  9: [8, (view, at, little) => view.getFloat64(at, little)],
  12: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
  13: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
};
const [INT8, UINT8, UINT16, INT32, UINT32, MATRIX, COMPRESSED, UTF8, UTF16] = [1, 2, 4, 5, 6, 14, 15, 16, 17];
const [CELL, STRUCT, CHAR, FIRST_NUMERIC, LAST_NUMERIC] = [1, 2, 4, 6, 15];
const COMPLEX = 0x800;

/** The empty array, which takes no room in the file. */
const EMPTY: MatArray = Object.freeze({ kind: 'numbers', shape: [0, 0], data: new Float64Array(0) });

/**
 * Reads a MATLAB level-5 file (what `save` writes by default, `-v6` or `-v7`): real numbers, text, cells and structs,
 * compressed or not, of either byte order. Each variable by its name; with `names`, those alone.
 *
 * The number in the file is taken, whatever its class there: MATLAB stores doubles as bytes where they fit.
 *
 * @throws EatDmlError ERR_DATA that names the file and the byte when it cannot be read, is no such file, is damaged, or
 * holds more than 32 MiB.
 */
export async function readMat5(path: string, names?: readonly string[]): Promise<Map<string, MatArray>> {
  return decodeMat5(await readBounded(path, MOST), path, names);
}

/** {@link readMat5} of bytes at hand; `path` names them in errors. */
export async function decodeMat5(
  bytes: Uint8Array,
  path: string,
  names?: readonly string[],
): Promise<Map<string, MatArray>> {
  const little = byteOrder(bytes, path);
  const variables = new Map<string, MatArray>();
  let left = MOST;
  for (const file = new Reader(bytes, path, little, 128); !file.done; ) {
    let element = file.element('an array');
    if (element.type === COMPRESSED) {
      const unpacked = await inflated(element.bytes, left, file);
      left -= unpacked.length;
      element = new Reader(unpacked, `${path}, unpacked from byte ${file.offset}`, little).element('an array');
    }
    if (element.type !== MATRIX) throw element.wrong('an array (type 14)', `type ${element.type}`);
    const { name, value } = arrayIn(element, (name) => !names || names.includes(name));
    if (value) variables.set(name, value);
  }
  return variables;
}

function byteOrder(bytes: Uint8Array, path: string): boolean {
  const order = String.fromCharCode(bytes[126], bytes[127]);
  if (bytes.length >= 128 && (order === 'IM' || order === 'MI')) {
    const little = order === 'IM';
    // Version 2 is HDF5.
    if (bytes[little ? 125 : 124] === 1) return little;
  }
  const received = bytes.length < 128 ? `${bytes.length} bytes` : 'another header';
  throw new EatDmlError('ERR_DATA', `Expected a MATLAB level-5 file but received ${received} in ${path}.`, {
    hint: 'MATLAB writes one with save -v7.',
  });
}

async function inflated(bytes: Uint8Array, most: number, at: Reader): Promise<Uint8Array> {
  try {
    return await promisify(inflate)(bytes, { maxOutputLength: Math.max(1, most) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const received = code === 'ERR_BUFFER_TOO_LARGE' ? `more than ${MOST} bytes` : `"${message}"`;
    throw at.wrong('a compressed array', received);
  }
}

/** Walks through the elements in some bytes, and never out of them. */
class Reader {
  /** Where the next element begins; `offset` where this one, or the one last read, began. */
  private at: number;
  offset: number;
  readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    readonly path: string,
    readonly little: boolean,
    start = 0,
    /** Where `bytes` begin in the file, for messages; and what kind of element they are. */
    readonly base = 0,
    readonly type = MATRIX,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
    this.offset = base + start;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** The next element, of one of `types` where that is said. */
  element(what: string, ...types: number[]): Reader {
    this.offset = this.base + this.at;
    if (this.left < 8) throw this.wrong(`${what}, of at least 8 bytes,`, `${Math.max(0, this.left)} bytes`);
    const word = this.view.getUint32(this.at, this.little);
    // Up to 4 bytes lie in the tag itself, whose upper half then is their number.
    const small = word > 0xffff;
    const [type, size] = small ? [word & 0xffff, word >>> 16] : [word, this.view.getUint32(this.at + 4, this.little)];
    const start = this.at + (small ? 4 : 8);
    if (size > (small ? 4 : this.bytes.length - start)) {
      throw this.wrong(`${what} that ends where it should`, `${size} bytes, more than there are`);
    }
    if (types.length > 0 && !types.includes(type)) throw this.wrong(`${what} (type ${types.join(' or ')})`, `${type}`);
    // Compressed elements are followed by the next one at once.
    this.at = small || type === COMPRESSED ? start + (small ? 4 : size) : start + 8 * Math.ceil(size / 8);
    const { path, little, base } = this;
    return new Reader(this.bytes.subarray(start, start + size), path, little, 0, base + start, type);
  }

  /** All of it as numbers. */
  numbers(): Float64Array {
    const [width, read] = NUMBERS[this.type] ?? [];
    if (!width || !read) throw this.wrong('numbers', `type ${this.type}`);
    if (this.bytes.length % width !== 0) throw this.wrong(`numbers of ${width} bytes`, `${this.bytes.length} bytes`);
    const values = new Float64Array(this.bytes.length / width);
    for (let i = 0; i < values.length; i++) values[i] = read(this.view, i * width, this.little);
    return values;
  }

  wrong(expected: string, received: string): EatDmlError {
    const where = `at byte ${this.offset} of ${this.path}`;
    return new EatDmlError('ERR_DATA', `Expected ${expected} but received ${received} ${where}.`);
  }
}

/** The array in an element, where `wanted` says so of its name. */
function arrayIn(
  element: Reader,
  wanted: (name: string) => boolean,
  depth = 0,
): { name: string; value: MatArray | undefined } {
  if (element.left === 0) return { name: '', value: EMPTY };
  if (depth > DEEPEST) throw element.wrong(`arrays in arrays ${DEEPEST} deep at most`, 'more');
  const flags = element.element('the flags of an array', UINT32).numbers();
  if (flags.length !== 2) throw element.wrong('flags of 8 bytes', `${4 * flags.length}`);
  const shape = shapeIn(element);
  const name = asciiIn(element.element('the name of an array', INT8, UINT8));
  return { name, value: wanted(name) ? valueIn(element, flags[0], shape, depth) : undefined };
}

function shapeIn(element: Reader): number[] {
  const shape = [...element.element('the sizes of an array', INT32).numbers()];
  if (shape.length >= 2 && shape.length <= 32 && shape.every((size) => size >= 0)) return shape;
  throw element.wrong('2 to 32 sizes >= 0', `[${shape.slice(0, 4).join(', ')}]`);
}

function valueIn(element: Reader, flags: number, shape: number[], depth: number): MatArray {
  const kind = flags & 0xff;
  const count = shape.reduce((product, size) => product * size, 1);
  if (flags & COMPLEX) throw element.wrong('real numbers', 'complex ones');
  if (kind === CELL) return { kind: 'cell', shape, values: valuesIn(element, count, depth) };
  if (kind === STRUCT) return structIn(element, shape, count, depth);
  if (kind === CHAR) return { kind: 'text', shape, lines: linesIn(element, shape, count) };
  if (kind < FIRST_NUMERIC || kind > LAST_NUMERIC) {
    throw element.wrong('numbers, text, a cell or a struct', `class ${kind}`);
  }
  const data = element.element('the numbers of an array').numbers();
  if (data.length !== count) throw element.wrong(`${count} numbers (${shape.join(' x ')})`, `${data.length}`);
  return { kind: 'numbers', shape, data };
}

function valuesIn(element: Reader, count: number, depth: number): MatArray[] {
  // Each takes its tag at least: no list is made for what cannot be there.
  if (count > element.left / 8) throw element.wrong(`${count} arrays`, `${element.left} bytes`);
  return Array.from({ length: count }, () => {
    const inner = element.element('an array', MATRIX);
    return arrayIn(inner, () => true, depth + 1).value!;
  });
}

function structIn(element: Reader, shape: number[], count: number, depth: number): MatArray {
  const [width = 0] = element.element('the length of field names', INT32).numbers();
  const text = element.element('the field names', INT8, UINT8);
  const size = text.bytes.length;
  if (!(width > 0) || size % width !== 0) throw element.wrong(`field names of ${width} bytes`, `${size} bytes`);
  if (size / width > MOST_NAMES) throw element.wrong(`at most ${MOST_NAMES} fields`, `${size / width}`);
  const names = Array.from({ length: size / width }, (_, i) => asciiIn(text, i * width, (i + 1) * width));
  const fields = new Map<string, MatArray[]>(names.map((name) => [name, []]));
  if (fields.size !== names.length) throw element.wrong('field names that differ', 'one twice');
  // All fields of the first, then all of the second.
  const values = valuesIn(element, count * names.length, depth);
  values.forEach((value, i) => {
    fields.get(names[i % names.length])!.push(value);
  });
  return { kind: 'struct', shape, fields };
}

function asciiIn({ bytes }: Reader, start = 0, end = bytes.length): string {
  return Buffer.from(bytes.subarray(start, end)).toString('latin1').split('\0', 1)[0];
}

/** Text row by row; the file has it column by column. */
function linesIn(element: Reader, shape: number[], count: number): string[] {
  const units = element.element('text', INT8, UINT8, UINT16, UTF8, UTF16);
  const text = units.type === UTF8 ? Buffer.from(units.bytes).toString('utf8') : unitsIn(units);
  if (text.length !== count) throw element.wrong(`${count} characters (${shape.join(' x ')})`, `${text.length}`);
  const [rows] = shape;
  if (rows <= 1) return [text];
  if (rows > MOST_NAMES) throw element.wrong(`at most ${MOST_NAMES} lines of text`, `${rows}`);
  return Array.from({ length: Math.min(rows, count) }, (_, row) => {
    return Array.from({ length: count / rows }, (_, column) => text[row + column * rows]).join('');
  });
}

function unitsIn(units: Reader): string {
  const { bytes, little, type } = units;
  if (type === INT8 || type === UINT8) return Buffer.from(bytes).toString('latin1');
  if (bytes.length % 2 !== 0) throw units.wrong('characters of 2 bytes', `${bytes.length} bytes`);
  const copy = Buffer.from(bytes);
  return (little ? copy : copy.swap16()).toString('utf16le');
}
