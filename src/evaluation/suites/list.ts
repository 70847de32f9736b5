import { quickPart } from './quick.js';
import { standardPart } from './standard.js';
import { thoroughPart } from './thorough.js';

/** Every suite; a new one is one more line. */
export const SUITES = [quickPart, standardPart, thoroughPart] as const;
