import { crc32 } from 'node:zlib';

/** One array of an .npz file. */
export interface NpyArray {
  shape: readonly number[];
  data: Float32Array | Int32Array;
}

/** NumPy's .npz: a zip of .npy files, stored without compression. */
export function npz(arrays: Record<string, NpyArray>): Buffer {
  const [files, directory]: Buffer[][] = [[], []];
  let offset = 0;
  for (const [name, array] of Object.entries(arrays)) {
    const content = npy(array);
    const path = Buffer.from(`${name}.npy`);
    const fields = fieldsOf(content, path);
    const head = Buffer.concat([Buffer.from('504b0304', 'hex'), fields, path]);
    files.push(head, content);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('504b01021400', 'hex'), fields, tail, path]));
    offset += head.length + content.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('504b0506', 'hex');
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, listing, end]);
}

/** What a local header and a directory entry share: version 2.0, stored, no date, checksum and sizes. */
function fieldsOf(content: Buffer, path: Buffer): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(content.length, 14);
  fields.writeUInt32LE(content.length, 18);
  fields.writeUInt16LE(path.length, 22);
  return fields;
}

/** Version 1.0 of the format: the header is padded so that data begins at a multiple of 64. */
function npy({ shape, data }: NpyArray): Buffer {
  const type = data instanceof Float32Array ? '<f4' : '<i4';
  const size = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${size}), }`;
  const padded = text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11);
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${padded}\n`, 'latin1');
  head.writeUInt16LE(padded.length + 1, 8);
  return Buffer.concat([head, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}
