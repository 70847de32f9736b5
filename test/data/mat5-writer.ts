/** Writes MATLAB level-5 elements, right or wrong, from the published description of the format. */

/** Types of stored data by name. */
export const STORED: Record<string, number> = {
  ...{ int8: 1, uint8: 2, int16: 3, uint16: 4, int32: 5, uint32: 6, single: 7, double: 9, int64: 12, uint64: 13 },
  ...{ matrix: 14, compressed: 15, utf8: 16, utf16: 17 },
};
/** Those that hold numbers. */
export const NAMES = Object.keys(STORED).slice(0, 10);
export const CLASS = { cell: 1, struct: 2, char: 4, double: 6 };

const WIDTH: Record<number, number> = { 1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2 };

export function headed(little: boolean): Uint8Array {
  const head = Buffer.from('MATLAB 5.0 MAT-file'.padEnd(128));
  head.set(little ? [0, 1] : [1, 0], 124);
  head.write(little ? 'IM' : 'MI', 126, 'latin1');
  return head;
}

function stored(type: number, values: readonly number[], little: boolean): Uint8Array {
  const width = WIDTH[type];
  const view = new DataView(new ArrayBuffer(width * values.length));
  values.forEach((value, i) => {
    const at = i * width;
    if (type === 7) view.setFloat32(at, value, little);
    else if (type === 9) view.setFloat64(at, value, little);
    else if (width === 8) view.setBigInt64(at, BigInt(value), little);
    else if (width === 4) view.setInt32(at, value, little);
    else if (width === 2) view.setInt16(at, value, little);
    else view.setInt8(at, value);
  });
  return new Uint8Array(view.buffer);
}

/** One element: its tag, its data, and what fills up to 8 bytes. */
export function element(type: number, values: readonly number[] | Uint8Array, little: boolean): Uint8Array {
  const bytes = values instanceof Uint8Array ? values : stored(type, values, little);
  const filled = type === STORED.compressed ? bytes.length : 8 * Math.ceil(bytes.length / 8);
  const out = Buffer.alloc(8 + filled);
  const write = (value: number, at: number) => (little ? out.writeUInt32LE(value, at) : out.writeUInt32BE(value, at));
  write(type, 0);
  write(bytes.length, 4);
  out.set(bytes, 8);
  return out;
}

/** An array of some class with those elements behind its name. */
export function matrix(name: string, kind: number, shape: number[], elements: Uint8Array[], little = true): Uint8Array {
  const head = [
    element(STORED.uint32, [kind, 0], little),
    element(STORED.int32, shape, little),
    element(STORED.int8, Buffer.from(name), little),
  ];
  return element(STORED.matrix, Buffer.concat([...head, ...elements]), little);
}

export function array(name: string, kind: number, shape: number[], data: Uint8Array, little: boolean): Uint8Array {
  return matrix(name, kind, shape, [data], little);
}

/** A text of one line. */
export function texts(name: string, text: string, type = STORED.utf8): Uint8Array {
  return array(name, CLASS.char, [1, text.length], element(type, Buffer.from(text), true), true);
}

/** A struct array: rows of values, each already an array without a name. */
export function struct(name: string, fields: readonly string[], rows: readonly Uint8Array[][]): Uint8Array {
  const width = 32;
  const names = Buffer.alloc(width * fields.length);
  fields.forEach((field, i) => {
    names.write(field, i * width, 'latin1');
  });
  const head = [element(STORED.int32, [width], true), element(STORED.int8, names, true)];
  return matrix(name, CLASS.struct, [1, rows.length], [...head, ...rows.flat()]);
}

/** A number as MATLAB stores one: a double, as a byte or two where that fits. */
export function small(value: number): Uint8Array {
  return array('', CLASS.double, [1, 1], element(value < 256 ? STORED.uint8 : STORED.uint16, [value], true), true);
}
