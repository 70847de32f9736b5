import type { Draw } from '../draw.js';
import type { Slot } from '../slots.js';

/**
 * What a call must do after a mutation: `same`, give the result that it gave before; `right`, give that or refuse; `any`, give
 * something or refuse, in words.
 */
export type Meaning = 'same' | 'right' | 'any';

/** What several of them leave. */
export function weakest(meanings: readonly Meaning[]): Meaning {
  if (meanings.includes('any')) return 'any';
  return meanings.includes('right') ? 'right' : 'same';
}

export interface Mutation {
  name: string;
  meaning: Meaning;
  /** Whether it has something to do with this value. */
  fits(value: unknown, slot: Slot): boolean;
  /** Changes the place; `args` are all arguments of the call. */
  apply(slot: Slot, draw: Draw, args: unknown[]): void;
  /** Arrays share memory after it: nothing may be moved again. */
  last?: boolean;
}

/** What this program's own getters and proxies throw; the call says where. */
export class Sabotage extends Error {}

/** What its callbacks throw; it ends the call as it is. */
export class CallbackError extends Error {}

export const put = ({ holder, key }: Slot, value: unknown) =>
  Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
