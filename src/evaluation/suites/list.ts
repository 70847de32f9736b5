/** Every suite; a new one is one more line. */
export { autoPart } from './auto.js';
export { quickPart } from './quick.js';
export { robrankPart } from './robrank.js';
export { standardPart } from './standard.js';
export { thoroughPart } from './thorough.js';
