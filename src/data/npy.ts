import { z } from 'zod';
import { invalid } from '../errors.js';
import { decodeNpy, encodeNpy, type NpyArray } from '../npy.js';
import { parse, parseOptions, path as pathSchema, signal } from '../options.js';
import { writeAtomically } from '../write-atomically.js';
import { readBounded } from './read-bounded.js';

const readOptions = z.strictObject({ signal: signal.optional() });
const SIZES = 'an array of sizes, integers >= 0';
const writable = z.strictObject({
  shape: z.array(z.int(SIZES).nonnegative(SIZES), SIZES) as unknown as z.ZodType<readonly number[], readonly number[]>,
  data: z.custom<Float32Array | Float64Array | Int32Array>(
    (data) => [Float32Array, Float64Array, Int32Array].some((kind) => data instanceof kind),
    'a Float32Array, Float64Array or Int32Array',
  ),
});

/** More than fits into memory beside what is made of it. */
const MOST = 2 ** 33;

/**
 * Reads a .npy file (numpy's format, versions 1 to 3) of numbers.
 *
 * @throws EatDmlError ERR_DATA that names the file: unreadable, no .npy file, truncated or too long, of another type; ERR_ABORTED.
 *
 * @example
 * ```ts
 * import { readNpy } from 'eat-dml';
 *
 * const { shape, data } = await readNpy('embeddings.npy');
 * console.log(shape, data.length);
 * ```
 */
export async function readNpy(path: string, options: { signal?: AbortSignal } = {}): Promise<NpyArray> {
  parse(pathSchema, path, 'path');
  const { signal } = parseOptions(readOptions, options);
  return decodeNpy(await readBounded(path, MOST, { what: '.npy file', signal }), path);
}

/**
 * Writes an array as a .npy file: float32, float64 or int32 as it is, in row-major order; atomically.
 *
 * @throws EatDmlError ERR_ARGUMENT when `shape` and `data` don't fit, ERR_SYSTEM or ERR_PATH when it cannot be written.
 *
 * @example
 * ```ts
 * import { writeNpy } from 'eat-dml';
 *
 * await writeNpy('mine.npy', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
 * ```
 */
export async function writeNpy(path: string, array: z.input<typeof writable>): Promise<void> {
  parse(pathSchema, path, 'path');
  const { shape, data } = parse(writable, array, 'array');
  const length = shape.reduce((product, size) => product * size, 1);
  if (data.length !== length) throw invalid('data', `${length} values for shape [${shape.join(', ')}]`, data);
  await writeAtomically(path, encodeNpy(shape, data));
}
