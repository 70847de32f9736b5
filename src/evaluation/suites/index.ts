import { nameOf, partNamed, partsOf } from '../../part.js';
import * as suites from './list.js';
import type { AttackPlan, SuiteOptions } from './plan.js';

export { type AttackPlan, attackShape, plan, type SuiteOptions } from './plan.js';

const SUITES = partsOf(suites);

export type SuiteName = (typeof SUITES)[number]['name'];

/** A suite by its name, as a schema. */
export const suiteName = nameOf(SUITES);

/** The attacks of a suite: `quick`, `standard`, `thorough` or `auto`; docs/threat-model.md says what is in each. */
export function suite(name: SuiteName, options: SuiteOptions): AttackPlan[] {
  return partNamed<AttackPlan[]>(SUITES, name, 'suite').make(options);
}
