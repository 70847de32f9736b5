import { EatDmlError, invalid } from './errors.js';
import { labelProblem } from './labels.js';

/** Throws unless `labels` is a list of integers of the expected length; `name` is the argument's name in the message. */
export function checkLabels(name: string, labels: unknown, length?: number): asserts labels is ArrayLike<number> {
  if (!isList(labels)) throw invalid(name, 'an array of integers', labels);
  if (labels.length === 0) throw invalid(name, 'at least one label', labels);
  if (length !== undefined && labels.length !== length) {
    throw new EatDmlError('ERR_ARGUMENT', `Expected ${length} values in ${name} but received ${labels.length}.`);
  }
  for (let i = 0; i < labels.length; i++) {
    const expected = labelProblem(labels, i);
    if (expected) throw invalid(`${name}[${i}]`, expected, labels[i]);
  }
}

/** An array, a typed array or what looks like one; whatever it holds. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const { length } = value as ArrayLike<unknown>;
  return Number.isSafeInteger(length) && length >= 0;
}

/** Whether `shape` is that of an image, holes in the list being none of its sizes. */
export function isImageShape(shape: unknown): shape is [number, number, number] {
  return Array.isArray(shape) && shape.length === 3 && [...shape].every((n) => Number.isSafeInteger(n) && n > 0);
}

/** Throws unless `shape` is that of an image, [height, width, channels]. */
export function checkImageShape(name: string, shape: unknown): asserts shape is [number, number, number] {
  if (!isImageShape(shape)) throw invalid(name, '[height, width, channels] of positive integers', shape);
}
