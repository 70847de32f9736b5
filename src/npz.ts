import { unzipSync } from 'fflate';
import { dataFault, EatDmlError } from './errors.js';
import { decodeNpy, type NpyArray } from './npy.js';

/** More than fits into memory beside what is made of it; a file that unpacks to more is a bomb. */
const MOST = 2 ** 32;

/**
 * The arrays in the bytes of a .npz file of numpy by name; each is decoded when it is asked for. Errors, ERR_DATA, call the file
 * `file`.
 */
export function unpackNpz(bytes: Uint8Array, file: string): Map<string, () => NpyArray> {
  const names = new Set<string>();
  let unpacked = 0;
  const filter = ({ name, originalSize }: { name: string; originalSize: number }) => {
    unpacked += originalSize;
    if (unpacked > MOST) throw dataFault(file, `at most ${MOST} bytes`, `${unpacked}`);
    // Of two the library would keep the last; and what it keeps is an object, of which __proto__ is no key.
    if (names.has(name)) throw dataFault(file, 'arrays of different names', `${JSON.stringify(name)} twice`);
    if (name === '__proto__') throw dataFault(file, 'names of arrays', name);
    names.add(name);
    return name.endsWith('.npy');
  };
  try {
    const arrays = Object.entries(unzipSync(bytes, { filter }));
    return new Map(arrays.map(([name, array]) => [name.slice(0, -4), () => decodeNpy(array, `${name} of ${file}`)]));
  } catch (cause) {
    if (cause instanceof EatDmlError) throw cause;
    throw dataFault(file, 'a .npz file', (cause as Error).message, { cause });
  }
}
