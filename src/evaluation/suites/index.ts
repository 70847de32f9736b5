import { nameOf, partNamed, partsOf } from '../../part.js';
import * as suites from './list.js';
import type { AttackPlan, SuiteOptions } from './plan.js';

export { type AttackPlan, attackShape, plan, type SuiteOptions } from './plan.js';

const SUITES = partsOf(suites);

/** A suite of attacks by its name (docs/threat-model.md). */
export type SuiteName = (typeof SUITES)[number]['name'];

/** A suite by its name, as a schema. */
export const suiteName = nameOf(SUITES);

/**
 * The attacks of a suite: `quick`, `standard`, `thorough` or `auto`; docs/threat-model.md says what is in each.
 *
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 *
 * @example
 * ```ts
 * import { suite } from 'eat-dml';
 *
 * for (const { name } of suite('standard', { norm: 'l2', epsilon: 0.5 })) console.log(name);
 * ```
 */
export function suite(name: SuiteName, options: SuiteOptions): AttackPlan[] {
  return partNamed<AttackPlan[]>(SUITES, name, 'suite').make(options);
}
