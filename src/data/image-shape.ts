import { isImageShape } from '../checks.js';
import { EatDmlError, invalid } from '../errors.js';

/** The error for a `shape`, which is short enough to be shown whole. */
export function invalidShape(expected: string, shape: unknown): EatDmlError {
  if (!Array.isArray(shape) || shape.length > 10) return invalid('shape', expected, shape);
  return new EatDmlError(
    'ERR_ARGUMENT',
    `Expected ${expected} for shape but received [${shape.map(String).join(', ')}].`,
  );
}

/** Throws unless `shape` is that of an image, channels last: [height, width, 1 or 3]. */
export function checkShape(shape: unknown): readonly number[] {
  if (!isImageShape(shape)) throw invalidShape('[height, width, channels] of positive integers', shape);
  const problem = channelsProblem(shape);
  if (!problem) return shape;
  throw new EatDmlError('ERR_ARGUMENT', `Expected ${problem.expected} for shape but received [${shape.join(', ')}].`, {
    hint: problem.hint,
  });
}

/** Channels first would be trained on as images of height 3 or 1: what was expected of such a shape, and the remedy. */
export function channelsProblem(shape: readonly number[]): { expected: string; hint?: string } | undefined {
  const [first, , channels] = shape;
  if (channels === 1 || channels === 3) return undefined;
  const hint =
    'Channels last: [height, width, channels]. Transpose images whose channels are stored one after the other.';
  return {
    expected: '[height, width, channels] with 1 or 3 channels',
    ...((first === 1 || first === 3) && { hint }),
  };
}
