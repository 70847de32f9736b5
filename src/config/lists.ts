import * as objectives from '../attacks/objectives/list.js';
import * as attacks from '../attacks/rules/list.js';
import * as dataSets from '../data/sets/list.js';
import * as protocols from '../evaluation/protocols/list.js';
import * as suites from '../evaluation/suites/list.js';
import * as losses from '../losses/list.js';
import * as models from '../models/list.js';
import { type Part, partsOf } from '../part.js';
import * as methods from '../training/methods/list.js';
import * as recipes from '../training/recipes/list.js';

/** Everything that a configuration can name, by what it is. Schema, command line and the tables of the docs read this. */
export const PARTS = {
  data: partsOf(dataSets),
  model: partsOf(models),
  loss: partsOf(losses),
  method: partsOf(methods),
  recipe: partsOf(recipes),
  objective: partsOf(objectives),
  attack: partsOf(attacks),
  suite: partsOf(suites),
  protocol: partsOf(protocols),
} as const satisfies Record<string, readonly Part[]>;

export type PartKind = keyof typeof PARTS;
