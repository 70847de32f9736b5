import { EatDmlError, printable } from '../errors.js';

/** Of data that are not as they should be: ERR_DATA, in the words of all readers; `where` is a file, and a place in it. */
export function dataFault(
  where: string,
  expected: string,
  received: string,
  more: { hint?: string; cause?: unknown } = {},
): EatDmlError {
  return new EatDmlError('ERR_DATA', `Expected ${expected} but received ${printable(received)} in ${where}.`, more);
}
