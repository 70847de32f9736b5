import { types } from 'node:util';
import { checkSignal, describe, EatDmlError, invalid } from '../errors.js';
import { readable, readFields } from './read-once.js';
import { ResidentMatrix } from './resident-matrix.js';
import { copyOf, isDetached, isShared, isTypedArray, lengthOf, type TypedArray, viewOf } from './typed-arrays.js';

/** Row-major float32 matrix; with `batch` B > 1 `data` holds B matrices of `rows` x `cols` one after the other. */
export interface Matrix {
  data: Float32Array;
  rows: number;
  cols: number;
  /** Number of matrices in `data`; 1 when absent. */
  batch?: number;
}

/** What is measured between rows: squared or plain Euclidean distance, 1 - cos, or the plain product. */
export type Metric = 'sqeuclidean' | 'euclidean' | 'cosine' | 'dot';
/** The norm of a ball of perturbations. */
export type Norm = 'linf' | 'l2' | 'l1';
/** A device that kernels run on. */
export type DeviceName = 'cuda' | 'webgpu' | 'cpu' | 'js';

/** What every kernel accepts. */
export interface KernelOptions {
  /**
   * `auto` takes the first of cuda, webgpu, cpu, js that is there, the first two only for calls that are worth a GPU (large, and not
   * bound by copying to it: see uploadMatrix); a device asked for by name that is absent throws. webgpu has the Promise forms alone.
   */
  device?: DeviceName | 'auto';
  /**
   * Scan input matrices for NaN and Inf and throw naming the first bad row (default true). What a network computes (products,
   * convolutions, element-wise) takes no matrices and carries NaN through.
   */
  checkFinite?: boolean;
}

/** What every Promise form of a kernel takes. */
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

/** The rows of one matrix from `begin` to before `end`, without a copy; of several matrices it is what kernels refuse. */
export function rowsFrom({ data, cols, batch }: Matrix, begin: number, end: number): Matrix {
  const own = { data: data.subarray(begin * cols, end * cols), rows: end - begin, cols };
  return batch === undefined ? own : { ...own, batch };
}

/**
 * The matrix to compute on, checked to be well-formed, attached and non-empty. Over a SharedArrayBuffer, which another thread may
 * change or grow meanwhile, it is a snapshot. `name` is the argument's name in the message.
 */
export function readMatrix(name: string, m: unknown): Matrix {
  return readMatrices({ [name]: m })[name];
}

/** Several, by their names: all are read before the first is checked, since code of the caller's may run meanwhile. */
export function readMatrices<T extends Record<string, unknown>>(given: T): { [K in keyof T]: Matrix } {
  const read = Object.entries(given).map(([name, m]) => [name, fieldsOf(name, m)] as const);
  const checked = read.map(([name, m]) => [name, checkedMatrix(name, m)]);
  return Object.fromEntries(checked) as { [K in keyof T]: Matrix };
}

const FIELDS = ['data', 'rows', 'cols', 'batch'] as const;

function fieldsOf(name: string, m: unknown): Matrix {
  if (ResidentMatrix.is(m)) return m;
  const isObject = typeof m === 'object' && m !== null;
  const fields = isObject ? readFields(name, m, FIELDS) : {};
  if (fields.data === undefined) throw invalid(name, 'a matrix {data: Float32Array, rows, cols, batch?}', m);
  return { ...fields, data: unshared(fields.data) } as Matrix;
}

/** The array itself; over a SharedArrayBuffer a snapshot, so that what was checked is what is read. */
export function unshared<T>(data: T): T {
  return isTypedArray(data) && isShared(data) ? copyOf(data) : data;
}

function checkedMatrix(name: string, m: Matrix): Matrix {
  if (!ResidentMatrix.is(m)) {
    checkShape(name, m);
    return { ...m, data: viewOf(m.data) };
  }
  if (!m.disposed) return m;
  throw new EatDmlError('ERR_ARGUMENT', `Expected a matrix for ${name} but received one that is disposed.`);
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
  const received = lengthOf(data);
  if (received !== expected) {
    const shape = batch === undefined ? `${rows} x ${cols}` : `${batch} x ${rows} x ${cols}`;
    throw new EatDmlError(
      'ERR_ARGUMENT',
      `Expected ${expected} values (${shape}) in ${name}.data but received ${received}.`,
      { hint: received === 0 ? 'Its buffer may have been transferred or detached.' : undefined },
    );
  }
}

/** Throws unless `data` is a Float32Array over a buffer that is still attached. */
export function checkFloat32(name: string, data: unknown): asserts data is Float32Array {
  if (!types.isFloat32Array(data)) throw invalid(name, 'a Float32Array', data);
  checkAttached(name, data);
}

export function checkAttached(name: string, data: TypedArray): void {
  if (!isDetached(data)) return;
  throw new EatDmlError('ERR_ARGUMENT', `Expected an attached buffer under ${name} but received a detached one.`);
}

/** Throws unless `data` is an attached Float32Array of exactly `length`. */
export function checkFloat32Length(name: string, data: unknown, length: number): asserts data is Float32Array {
  checkFloat32(name, data);
  if (lengthOf(data) !== length) throw invalid(name, `a Float32Array of length ${length}`, data);
}

/** A positive safe integer. */
export function checkCount(name: string, value: unknown): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < 1) throw invalid(name, 'a positive integer', value);
}

/** NaN and the infinities are numbers. */
export function checkNumber(name: string, value: unknown): asserts value is number {
  if (typeof value !== 'number') throw invalid(name, 'a number', value);
}

export function checkFlag(name: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw invalid(name, 'true or false', value);
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

/** NaN or Inf in row `row` (counted through all batches) of argument `name`; `value` where it is known. */
export function notFinite(name: string, m: Matrix, row: number, value?: number): EatDmlError {
  const where = m.batch === undefined ? `row ${row}` : `batch ${Math.floor(row / m.rows)}, row ${row % m.rows}`;
  return new EatDmlError(
    'ERR_NOT_FINITE',
    `Expected finite values in ${name} but received ${value ?? 'NaN or Infinity'} in ${where}.`,
  );
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

/**
 * The options as a plain object, with those of `known` that are there. Lists are copied, and so are objects whose keys `parts` names.
 * @throws EatDmlError ERR_ARGUMENT for what is no object, for a key that is not known, and where a key cannot be read.
 */
export function readOptions<T extends object>(
  options: T,
  known: readonly string[],
  parts: Record<string, readonly string[]> = {},
): T {
  readable('options', () => checkOptions(options, known));
  const read = readFields('', options, known);
  for (const [name, keys] of Object.entries(parts)) {
    const part = read[name];
    if (part === undefined || part === null) continue;
    if (typeof part !== 'object') throw invalid(name, `an object {${keys.join(', ')}}`, part);
    read[name] = readFields(name, part, keys);
  }
  if ('signal' in read) checkSignal(read.signal);
  if ('checkFinite' in read) checkFlag('checkFinite', read.checkFinite);
  return read as T;
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
