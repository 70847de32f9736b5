/** Matrices as the kernels read them: rows padded to four values with zeros, and of a size at which squares stay in float32. */
import { batchOf, checkFinite, type Matrix } from '../matrix.js';
import { ResidentMatrix } from '../resident-matrix.js';

/** The magnitudes of a matrix's values that are not zero; [0, 0] where all are. */
export interface Magnitudes {
  least: number;
  largest: number;
  finite: boolean;
}

const bits = new DataView(new ArrayBuffer(4));

const known = new WeakMap<ResidentMatrix, Magnitudes>();

/** Looks at every value once; of a matrix that was uploaded, which nobody changes, in the first call alone. */
export function magnitudes(matrix: Pick<Matrix, 'data'>): Magnitudes {
  if (!ResidentMatrix.is(matrix)) return magnitudesOf(matrix);
  const found = known.get(matrix) ?? magnitudesOf(matrix);
  known.set(matrix, found);
  return found;
}

function magnitudesOf({ data }: Pick<Matrix, 'data'>): Magnitudes {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  let least = 0x7fffffff;
  let largest = 0;
  // Magnitudes are ordered as their bits are; 0 - 1 is the greatest of all.
  for (let i = 0; i < words.length; i++) {
    const word = words[i] & 0x7fffffff;
    if (word > largest) largest = word;
    if (word < least && word !== 0) least = word;
  }
  if (largest === 0) return { least: 0, largest: 0, finite: true };
  return { least: floatOf(least), largest: floatOf(largest), finite: largest < 0x7f800000 };
}

function floatOf(word: number): number {
  bits.setUint32(0, word);
  return bits.getFloat32(0);
}

/**
 * The magnitudes of all the matrices, which are scanned for NaN and Inf as `checkFinite` has it; undefined where some are not finite and
 * nobody checks: no shader may be trusted with those.
 */
export function scan(matrices: Record<string, Matrix>, check: boolean): Magnitudes | undefined {
  const all: Magnitudes = { least: 0, largest: 0, finite: true };
  for (const [name, matrix] of Object.entries(matrices)) {
    const own = magnitudes(matrix);
    if (!own.finite) {
      if (check) checkFinite(name, matrix);
      all.finite = false;
    }
    all.largest = Math.max(all.largest, own.largest);
    if (own.least > 0) all.least = all.least > 0 ? Math.min(all.least, own.least) : own.least;
  }
  return all.finite ? all : undefined;
}

/** Magnitudes between these are taken as they are. */
const ORDINARY = [2 ** -30, 2 ** 40];

/** A power of two; values times it can be subtracted, squared and summed in float32. */
export function scaleFor({ largest }: Magnitudes): number {
  if (largest === 0 || (largest >= ORDINARY[0] && largest <= ORDINARY[1])) return 1;
  return 2 ** (20 - Math.floor(Math.log2(largest)));
}

/**
 * Squared distances below this may have lost what float32 cannot hold: a term loses 2^-126, and 2^-126 of twice the difference, which is
 * at most 2^41. What is left is 1e-6 of the bound.
 */
export const tinySquare = (cols: number) => cols * 2 ** -64;

/** Whether no difference of two values, when squared, leaves float32's normal range: then a distance of 0 is exactly 0. */
export const zeroIsExact = ({ least }: Magnitudes, scale: number) => least === 0 || least * scale >= 2 ** -39;

/** Values per row, with padding. */
export const padded = (cols: number) => Math.ceil(cols / 4) * 4;

/** Rows `first` .. of all batches, padded and scaled; the very values where there is nothing to do. */
export function packRows(
  { data, cols }: Matrix,
  first: number,
  count: number,
  scale: number,
): Float32Array<ArrayBuffer> {
  const wide = padded(cols);
  const from = data.subarray(first * cols, (first + count) * cols) as Float32Array<ArrayBuffer>;
  if (wide === cols && scale === 1) return from;
  const packed = new Float32Array(count * wide);
  for (let row = 0; row < count; row++) {
    for (let k = 0; k < cols; k++) packed[row * wide + k] = from[row * cols + k] * scale;
  }
  return packed;
}

/**
 * Rows of length 1 in two floats per value, high and low: differences of nearly equal rows keep their digits. Where `withZero`, four
 * more values say which row is zero, on side 0 or 1: it is at distance 1 of all.
 */
export function packUnitRows(matrix: Matrix, first: number, count: number, withZero: boolean, side: 0 | 1) {
  const { data, cols } = matrix;
  const wide = padded(cols) + (withZero ? 4 : 0);
  const [high, low] = [new Float32Array(count * wide), new Float32Array(count * wide)];
  for (let row = 0; row < count; row++) {
    const from = (first + row) * cols;
    let norm = 0;
    for (let k = from; k < from + cols; k++) norm += data[k] * data[k];
    if (norm === 0) {
      if (withZero) high[row * wide + padded(cols) + side] = 1;
      continue;
    }
    const scale = 1 / Math.sqrt(norm);
    for (let k = 0; k < cols; k++) {
      const value = scale * data[from + k];
      high[row * wide + k] = value;
      low[row * wide + k] = value - high[row * wide + k];
    }
  }
  return { high, low };
}

export function hasZeroRow({ data, cols, rows, batch }: Matrix): boolean {
  for (let row = 0; row < rows * batchOf({ data, rows, cols, batch }); row++) {
    let k = row * cols;
    while (k < (row + 1) * cols && data[k] === 0) k++;
    if (k === (row + 1) * cols) return true;
  }
  return false;
}

export interface Part {
  first: number;
  count: number;
}

/** [0, total) in parts of at most `most`. */
export function parts(total: number, most: number): Part[] {
  const size = Math.max(1, Math.floor(most));
  return Array.from({ length: Math.ceil(total / size) }, (_, i) => ({
    first: i * size,
    count: Math.min(size, total - i * size),
  }));
}
