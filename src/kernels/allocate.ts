import { EatDmlError } from '../errors.js';
import { loadAddon } from './load-addon.js';

/**
 * A new array for a result whose length the argument `by` gives.
 * @throws EatDmlError that names argument and length: ERR_ARGUMENT where no array is that long, ERR_DEVICE where memory is short.
 */
export function allocate<T>(type: new (length: number) => T, length: number, by: string): T {
  try {
    return new type(length);
  } catch (cause) {
    const received = `for ${by} but received one of ${length} values.`;
    if (/allocation failed/.test((cause as Error).message)) {
      throw new EatDmlError('ERR_DEVICE', `Expected a result that there is memory ${received}`, { cause });
    }
    throw new EatDmlError('ERR_ARGUMENT', `Expected a result that an array can hold ${received}`, { cause });
  }
}

/**
 * Gets fresh memory, that large arrays are to lie in again and again, ready for kernels: in huge pages, where the system gives them on request.
 * Returns the bytes from its start to the next line of the cache: vectors of arrays that begin there lie in one line each. 0 without the addon.
 */
export function prepareMemory(memory: ArrayBufferLike): number {
  const addon = loadAddon() as { prepareMemory?(memory: ArrayBufferLike): number } | undefined;
  return addon?.prepareMemory?.(memory) ?? 0;
}
