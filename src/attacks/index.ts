export { type AttackContext, attackContext } from './attack-context.js';
export { kernelDevice } from './kernel-device.js';
export type { AttackGallery, Objective, ObjectiveInputs, Rest } from './objective.js';
export { OBJECTIVE_NAMES, objective } from './objectives/index.js';
export * from './ranking/index.js';
export { type AttackRun, runAttack } from './run-attack.js';
export {
  type AdaptiveSettings,
  type ApgdOptions,
  type AttackNorm,
  type AttackSettings,
  apgd,
  type CarliniWagnerOptions,
  type CarliniWagnerSettings,
  type CommonSettings,
  carliniWagner,
  type FgsmOptions,
  type FixedSettings,
  fgsm,
  gradientsPerImage,
  type MiFgsmOptions,
  miFgsm,
  type PgdOptions,
  pgd,
  type SquareOptions,
  type SquareSettings,
  square,
} from './settings.js';
