export { type AttackContext, attackContext } from './attack-context.js';
export { kernelDevice } from './kernel-device.js';
export type { Objective, ObjectiveInputs } from './objective.js';
export { OBJECTIVE_NAMES, objective } from './objectives/index.js';
export { type AttackRun, runAttack } from './run-attack.js';
export {
  type AttackNorm,
  type AttackSettings,
  type FgsmOptions,
  fgsm,
  gradientsPerImage,
  type MiFgsmOptions,
  miFgsm,
  type PgdOptions,
  pgd,
} from './settings.js';
