import { types } from 'node:util';
import type { Draw } from '../draw.js';
import { contentOf, type Slot, slotsOf } from '../slots.js';
import { arrays } from './arrays.js';
import { matrixMutations } from './matrices.js';
import type { Meaning, Mutation } from './mutation.js';
import { objects } from './objects.js';
import { values } from './values.js';

export const FAMILIES: readonly (readonly Mutation[])[] = [values, objects, arrays, matrixMutations];

export interface Mutated {
  /** What was done, and where. */
  names: string[];
  meanings: Meaning[];
}

/** Whether a value is there that can be looked at and replaced: no getter, no proxy. */
function isOpen({ holder, key }: Slot): boolean {
  const place = Object.getOwnPropertyDescriptor(holder, key);
  return place !== undefined && 'value' in place && !types.isProxy(place.value) && !Object.isFrozen(holder);
}

/** Changes `args` in up to `count` places. */
export function mutate(args: unknown[], count: number, draw: Draw): Mutated {
  const done: Mutated = { names: [], meanings: [] };
  const places = new Set<string>();
  for (let i = 0; i < count; i++) {
    const mutation = draw.pick(draw.pick(FAMILIES));
    const fitting = slotsOf(args).filter((slot) => isOpen(slot) && mutation.fits(contentOf(slot), slot));
    if (fitting.length === 0) continue;
    const slot = draw.pick(fitting);
    const place = slot.path.join('.');
    if (places.has(place)) continue;
    places.add(place);
    try {
      mutation.apply(slot, draw, args);
    } catch {
      continue; // an earlier mutation left nothing to change: a detached array, a matrix without values
    }
    done.names.push(`${place}: ${mutation.name}`);
    done.meanings.push(mutation.meaning);
    if (mutation.last) break;
  }
  return done;
}
