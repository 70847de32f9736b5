import { EatDmlError } from '../errors.js';

/**
 * A new array for the result `name`.
 * @throws EatDmlError that names the length: ERR_ARGUMENT where no array is that long, ERR_DEVICE where memory is short.
 */
export function allocate<T>(type: new (length: number) => T, length: number, name = 'out'): T {
  try {
    return new type(length);
  } catch (cause) {
    if (/allocation failed/.test((cause as Error).message)) {
      throw new EatDmlError('ERR_DEVICE', `Not enough memory for the ${length} values of ${name}.`, { cause });
    }
    const expected = 'sizes whose result an array can hold';
    throw new EatDmlError('ERR_ARGUMENT', `Expected ${expected} but ${name} would have ${length} values.`, { cause });
  }
}
