/** Fields of protocol buffer messages, encoded; numbers of fields are below 16. */

export function float(field: number, value: number): Buffer {
  const encoded = Buffer.alloc(5);
  encoded[0] = (field << 3) | 5;
  encoded.writeFloatLE(value, 1);
  return encoded;
}

export function text(field: number, value: string): Buffer {
  return bytes(field, [Buffer.from(value)]);
}

export function bytes(field: number, parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...digits(content.length)]), content]);
}

export function double(field: number, value: number): Buffer {
  const encoded = Buffer.alloc(9);
  encoded[0] = (field << 3) | 1;
  encoded.writeDoubleLE(value, 1);
  return encoded;
}

export function varint(field: number, value: number): Buffer {
  return Buffer.from([field << 3, ...digits(value)]);
}

/** Base 128, lowest first, the high bit set on all but the last. */
function digits(value: number): number[] {
  const low = value % 128;
  return value < 128 ? [value] : [low + 128, ...digits((value - low) / 128)];
}
