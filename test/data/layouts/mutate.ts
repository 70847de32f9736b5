import { deflateSync } from 'node:zlib';
import type { Draw } from '../../fuzz/draw.js';

/** Paths that would lead out, on this system or another. */
const OUTSIDE = [
  '..',
  '../outside.jpg',
  '../../outside.jpg',
  'img/../../outside.jpg',
  '/etc/passwd',
  '..\\a.jpg',
  'c:/a.jpg',
];

/** What stands where a number, a class or a path should. */
const HOSTILE = [
  ...['', '-1', '0', '1', '1e9', '0x10', 'NaN', '007', '2147483647', '2147483648', '99999999999999999999', '1.5', '١'],
  ...OUTSIDE,
  ...['a\0b.jpg', 'a//b.jpg', './a.jpg', 'a/', '~/a.jpg', 'http://a/b.jpg', '%2e%2e/outside.jpg', '\ufeff', '\u202e'],
  ...['id_', 'id_0', 'id_-1', 'train', 'query', 'test', 'constructor', '__proto__', 'a'.repeat(300), 'a/'.repeat(3000)],
];

type Mutation<T> = (content: T, draw: Draw) => T;

const onLines =
  (change: (lines: string[], at: number, draw: Draw) => void): Mutation<string> =>
  (text, draw) => {
    const lines = text.split('\n');
    change(lines, draw.integer(lines.length), draw);
    return lines.join('\n');
  };

const TEXT: Mutation<string>[] = [
  onLines((lines, at) => void lines.splice(at, 1)),
  onLines((lines, at) => void lines.splice(at, 0, lines[at])),
  onLines((lines, at, draw) => void lines.splice(at, 0, draw.pick(HOSTILE))),
  onLines((lines, at, draw) => {
    const other = draw.integer(lines.length);
    [lines[at], lines[other]] = [lines[other], lines[at]];
  }),
  onLines((lines, at, draw) => {
    const words = lines[at].split(/([ ,])/);
    words[draw.integer(words.length)] = draw.pick(HOSTILE);
    lines[at] = words.join('');
  }),
  onLines((lines, at, draw) => {
    lines[at] = lines[at].replace(/\d+/, draw.pick(HOSTILE));
  }),
  onLines((lines, at, draw) => {
    const parts = lines[at].split('/');
    parts[draw.integer(parts.length)] = draw.pick(HOSTILE);
    lines[at] = parts.join('/');
  }),
  // Twice as often as the others.
  ...[0, 1].map(() =>
    onLines((lines, at, draw) => {
      lines[at] = lines[at].replace(/[^\s,]+\.jpe?g/i, draw.pick(OUTSIDE));
    }),
  ),
  (text, draw) => text.slice(0, draw.integer(text.length)),
  (text, draw) => text.replaceAll('\n', draw.pick(['\r\n', '\r', ' ', '\n\n', '\0'])),
  (text, draw) =>
    text.replaceAll(draw.pick([' ', ',', '/', '_', '.']), draw.pick([' ', ',', '\t', '\u00a0', '', '/../'])),
  (text, draw) => text + draw.pick(HOSTILE),
  () => '',
];

const WORDS = [0, 1, 7, 8, 14, 15, 0x10001, 0x7fffffff, 0x80000000, 0xffffffff];

const BYTES: Mutation<Buffer>[] = [
  (bytes, draw) => bytes.subarray(0, draw.integer(bytes.length)),
  (bytes, draw) => {
    bytes[draw.integer(bytes.length)] ^= 1 << draw.integer(8);
    return bytes;
  },
  (bytes, draw) => {
    bytes[draw.integer(bytes.length)] = draw.integer(256);
    return bytes;
  },
  (bytes, draw) => {
    if (bytes.length >= 8) bytes.writeUInt32LE(draw.pick(WORDS), 4 * draw.integer((bytes.length >> 2) - 1));
    return bytes;
  },
  (bytes, draw) => {
    const [at, length] = [draw.integer(bytes.length), draw.between(1, 64)];
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
  },
  (bytes, draw) => {
    const [at, length] = [draw.integer(bytes.length), draw.between(1, 16)];
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
  },
];

/** A path in a MATLAB file turned into one of the same length that leads out. */
const outwards: Mutation<Buffer> = (bytes, draw) => {
  const places = [...bytes.toString('latin1').matchAll(/car_ims|000/g)];
  if (places.length === 0) return bytes;
  const { index, 0: part } = draw.pick(places);
  bytes.write('../../../'.slice(0, part.length), index, 'latin1');
  return bytes;
};

/** One to three mutations, one after the other. */
function several<T extends { length: number }>(mutations: readonly Mutation<T>[], content: T, draw: Draw): T {
  let mutated = content;
  for (let i = draw.between(1, 3); i > 0 && mutated.length > 0; i--) mutated = draw.pick(mutations)(mutated, draw);
  return mutated;
}

/** A list file mutated: mostly as text, else as bytes. */
export function mutatedList(text: string, draw: Draw): string | Uint8Array {
  return draw.chance(0.85) ? several(TEXT, text, draw) : several(BYTES, Buffer.from(text), draw);
}

/** A MATLAB file mutated, that is not compressed; afterwards it may be. */
export function mutatedMat(plain: Uint8Array, draw: Draw): Uint8Array {
  const copy = Buffer.from(plain);
  const mutated = draw.chance(0.2) ? outwards(copy, draw) : several(BYTES, copy, draw);
  if (mutated.length < 136 || draw.chance(0.5)) return mutated;
  const packed = deflateSync(mutated.subarray(128));
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(15, 0);
  tag.writeUInt32LE(packed.length, 4);
  return Buffer.concat([mutated.subarray(0, 128), tag, packed]);
}

/** Any other file mutated. */
export function mutatedBytes(content: Uint8Array, draw: Draw): Uint8Array {
  return several(BYTES, Buffer.from(content), draw);
}
