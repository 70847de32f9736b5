import { OBJECTIVES } from '../attacks/objectives/list.js';
import { ATTACKS } from '../attacks/rules/list.js';
import { DATA_SETS } from '../data/sets/list.js';
import { PROTOCOLS } from '../evaluation/protocols/list.js';
import { SUITES } from '../evaluation/suites/list.js';
import { LOSSES } from '../losses/list.js';
import { MODELS } from '../models/list.js';
import type { Part } from '../part.js';
import { METHODS } from '../training/methods/list.js';

/** Everything that a configuration can name, by what it is. Schema, command line and the tables of the docs read this. */
export const PARTS = {
  data: DATA_SETS,
  model: MODELS,
  loss: LOSSES,
  method: METHODS,
  objective: OBJECTIVES,
  attack: ATTACKS,
  suite: SUITES,
  protocol: PROTOCOLS,
} as const satisfies Record<string, readonly Part[]>;

export type PartKind = keyof typeof PARTS;
