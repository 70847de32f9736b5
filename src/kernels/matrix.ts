import { describe, EatDmlError, invalid } from '../errors.js';
import { ResidentMatrix } from './resident-matrix.js';

/** Row-major float32 matrix; with `batch` B > 1 `data` holds B matrices of `rows` x `cols` one after the other. */
export interface Matrix {
  data: Float32Array;
  rows: number;
  cols: number;
  /** Number of matrices in `data`; 1 when absent. */
  batch?: number;
}

export type Metric = 'sqeuclidean' | 'euclidean' | 'cosine' | 'dot';
export type Norm = 'linf' | 'l2' | 'l1';
export type DeviceName = 'cuda' | 'cpu' | 'js';

/** What every kernel accepts. */
export interface KernelOptions {
  /**
   * `auto` takes the first of cuda, cpu, js that is there, cuda only for calls that are worth a GPU (large, and not bound by copying to
   * it: see uploadMatrix); a device asked for by name that is absent throws.
   */
  device?: DeviceName | 'auto';
  /**
   * Scan input matrices for NaN and Inf and throw naming the first bad row (default true). What a network computes (products,
   * convolutions, element-wise) takes no matrices and carries NaN through.
   */
  checkFinite?: boolean;
}

export interface AsyncKernelOptions extends KernelOptions {
  /** Aborts the work; checked between tiles. */
  signal?: AbortSignal;
}

/** The keys of KernelOptions and AsyncKernelOptions. */
export const KERNEL_OPTIONS: readonly string[] = ['device', 'checkFinite', 'signal'];
export const METRICS: readonly Metric[] = ['sqeuclidean', 'euclidean', 'cosine', 'dot'];
export const NORMS: readonly Norm[] = ['linf', 'l2', 'l1'];

/** Number of matrices in `m`. */
export function batchOf(m: Matrix): number {
  return m.batch ?? 1;
}

/**
 * The matrix to compute on, checked to be well-formed, attached and non-empty. Over a SharedArrayBuffer, which another thread may
 * change or grow meanwhile, it is a snapshot. `name` is the argument's name in the message.
 */
export function readMatrix(name: string, m: unknown): Matrix {
  if (ResidentMatrix.is(m)) {
    if (!m.disposed) return m;
    throw new EatDmlError('ERR_ARGUMENT', `Expected a matrix for ${name} but received one that is disposed.`);
  }
  if (typeof m !== 'object' || m === null || !('data' in m)) {
    throw invalid(name, 'a matrix {data: Float32Array, rows, cols, batch?}', m);
  }
  // Read once: what is checked is what is computed on.
  const { data, rows, cols, batch } = m as Matrix;
  const matrix = { data: unshared(data), rows, cols, ...(batch !== undefined && { batch }) };
  checkShape(name, matrix);
  return matrix;
}

/** The array itself; over a SharedArrayBuffer a snapshot, so that what was checked is what is read. */
export function unshared<T>(data: T): T {
  const shared = ArrayBuffer.isView(data) && !(data.buffer instanceof ArrayBuffer);
  return shared ? ((data as unknown as Float32Array).slice() as T) : data;
}

/** Throws unless `m` is a matrix that a kernel would take. */
export function checkMatrix(name: string, m: unknown): asserts m is Matrix {
  readMatrix(name, m);
}

function checkShape(name: string, { data, rows, cols, batch }: Matrix): void {
  checkFloat32(`${name}.data`, data);
  checkCount(`${name}.rows`, rows);
  checkCount(`${name}.cols`, cols);
  if (batch !== undefined) checkCount(`${name}.batch`, batch);
  const expected = rows * cols * (batch ?? 1);
  if (data.length !== expected) {
    const shape = batch === undefined ? `${rows} x ${cols}` : `${batch} x ${rows} x ${cols}`;
    throw new EatDmlError(
      'ERR_ARGUMENT',
      `Expected ${expected} values (${shape}) in ${name}.data but received ${data.length}.`,
      { hint: data.length === 0 ? 'Its buffer may have been transferred or detached.' : undefined },
    );
  }
}

/** Throws unless `data` is a Float32Array over a buffer that is still attached. */
export function checkFloat32(name: string, data: unknown): asserts data is Float32Array {
  if (!(data instanceof Float32Array)) throw invalid(name, 'a Float32Array', data);
  if (isDetached(data)) {
    throw new EatDmlError('ERR_ARGUMENT', `Expected an attached buffer under ${name} but received a detached one.`);
  }
}

/** Throws unless `data` is an attached Float32Array of exactly `length`. */
export function checkFloat32Length(name: string, data: unknown, length: number): asserts data is Float32Array {
  checkFloat32(name, data);
  if (data.length !== length) throw invalid(name, `a Float32Array of length ${length}`, data);
}

/** A positive safe integer. */
export function checkCount(name: string, value: unknown): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < 1) throw invalid(name, 'a positive integer', value);
}

export function checkNonNegative(name: string, value: unknown): asserts value is number {
  if (typeof value !== 'number' || !(value >= 0) || value === Infinity) {
    throw invalid(name, 'a finite number >= 0', value);
  }
}

export function checkOneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): asserts value is T {
  if (!allowed.includes(value as T)) throw invalid(name, `one of ${allowed.join(', ')}`, value);
}

/** Throws unless `b` has the same `cols` (and, unless `exact` is false, the same rows) and batch as `a`. */
export function checkSameShape(nameA: string, a: Matrix, nameB: string, b: Matrix, exact = true): void {
  const same = a.cols === b.cols && batchOf(a) === batchOf(b) && (!exact || a.rows === b.rows);
  if (same) return;
  const shape = (m: Matrix) => `${m.batch === undefined ? '' : `${m.batch} x `}${m.rows} x ${m.cols}`;
  const what = exact ? 'the same shape as' : 'the same cols and batch as';
  throw new EatDmlError(
    'ERR_ARGUMENT',
    `Expected ${nameB} to have ${what} ${nameA} (${shape(a)}) but received ${shape(b)}.`,
  );
}

/** NaN or Inf in row `row` (counted through all batches) of argument `name`. */
export function notFinite(name: string, m: Matrix, row: number, value: number): EatDmlError {
  const where = m.batch === undefined ? `row ${row}` : `batch ${Math.floor(row / m.rows)}, row ${row % m.rows}`;
  return new EatDmlError('ERR_NOT_FINITE', `Expected finite values in ${name} but received ${value} in ${where}.`);
}

/** Throws for the first row of `m` that holds NaN or Inf. */
export function checkFinite(name: string, m: Matrix): void {
  const at = m.data.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw notFinite(name, m, Math.floor(at / m.cols), m.data[at]);
}

/** Row `row` of `argument` leaves the box. */
export function outsideBox(argument: string, row: number): EatDmlError {
  return new EatDmlError('ERR_ARGUMENT', `Expected ${argument} to lie in the box but row ${row} does not.`);
}

/** Throws unless `options` is an object whose keys are all known. */
export function checkOptions(options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options);
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new EatDmlError(
        'ERR_ARGUMENT',
        `Expected options among ${known.join(', ')} but received ${describe(key)}.`,
      );
    }
  }
}

function isDetached(data: Float32Array): boolean {
  const buffer = data.buffer as ArrayBuffer & { detached?: boolean };
  if (buffer.detached !== undefined) return buffer.detached;
  if (buffer.byteLength !== 0 || data.length !== 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
