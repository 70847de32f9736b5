import { unzipSync } from 'fflate';
import { EatDmlError } from './errors.js';
import { decodeNpy, type NpyArray } from './npy.js';

/** More than fits into memory beside what is made of it; a file that unpacks to more is a bomb. */
const MOST = 2 ** 32;

/**
 * The arrays in the bytes of a .npz file of numpy by name; each is decoded when it is asked for. Errors, ERR_DATA, call the file
 * `file`.
 */
export function unpackNpz(bytes: Uint8Array, file: string): Map<string, () => NpyArray> {
  const refuse = (expected: string, received: string, cause?: unknown) =>
    new EatDmlError('ERR_DATA', `Expected ${expected} but received ${received} in ${file}.`, { cause });
  const names = new Set(['__proto__.npy', '__proto__']);
  let unpacked = 0;
  const filter = ({ name, originalSize }: { name: string; originalSize: number }) => {
    unpacked += originalSize;
    if (unpacked > MOST) throw refuse(`at most ${MOST} bytes`, `${unpacked}`);
    if (names.has(name)) throw refuse('arrays of different names', `${JSON.stringify(name.slice(0, 100))} twice`);
    names.add(name);
    return name.endsWith('.npy');
  };
  try {
    const arrays = Object.entries(unzipSync(bytes, { filter }));
    return new Map(arrays.map(([name, array]) => [name.slice(0, -4), () => decodeNpy(array, `${name} of ${file}`)]));
  } catch (cause) {
    if (cause instanceof EatDmlError) throw cause;
    throw refuse('a .npz file', (cause as Error).message, cause);
  }
}
