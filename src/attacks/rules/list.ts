/** Every attack that a configuration can name; a new one is one more line. */
export { apgdPart } from './apgd.js';
export { carliniWagnerPart } from './carlini-wagner.js';
export { mpgdPart } from './mpgd.js';
export { fgsmPart, miFgsmPart, pgdPart } from './pgd.js';
export { squarePart } from './square.js';
