import { apgdPart } from './apgd.js';
import { carliniWagnerPart } from './carlini-wagner.js';
import { fgsmPart, miFgsmPart, pgdPart } from './pgd.js';
import { squarePart } from './square.js';

/** Every attack that a configuration can name; a new one is one more line. */
export const ATTACKS = [fgsmPart, pgdPart, miFgsmPart, apgdPart, carliniWagnerPart, squarePart] as const;
