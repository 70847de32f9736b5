export { type AttackContext, attackContext } from './attack-context.js';
export type { AttackNorm } from './norm.js';
export type { AttackGallery, Objective, ObjectiveInputs, Rest } from './objective.js';
export { OBJECTIVE_NAMES, objective } from './objectives/index.js';
export * from './ranking/index.js';
export { type ApgdOptions, type ApgdSettings, apgd } from './rules/apgd.js';
export { type CarliniWagnerOptions, type CarliniWagnerSettings, carliniWagner } from './rules/carlini-wagner.js';
export type { CommonSettings } from './rules/common.js';
export { type MpgdOptions, type MpgdSettings, mpgd } from './rules/mpgd.js';
export {
  type FgsmOptions,
  fgsm,
  type MiFgsmOptions,
  miFgsm,
  type PgdOptions,
  type PgdSettings,
  pgd,
} from './rules/pgd.js';
export { type SquareOptions, type SquareSettings, square } from './rules/square.js';
export { type AttackRun, runAttack } from './run-attack.js';
export type { AttackSettings } from './settings.js';
