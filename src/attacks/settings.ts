import { z } from 'zod';
import { parse } from '../options.js';
import { partsOf } from '../part.js';
import { checkEpsilon } from './norm.js';
import * as attacks from './rules/list.js';
import type { Rule } from './rules/rule.js';

const ATTACKS = partsOf(attacks);

type AnySettings = (typeof ATTACKS)[number]['rule']['settings'];

/** Each once: attacks share them. */
const rules: readonly Rule[] = [...new Set(ATTACKS.map(({ rule }) => rule as unknown as Rule))];

/** As a schema. */
export const attackSettings = z
  .discriminatedUnion('rule', rules.map(({ settings }) => settings) as unknown as [AnySettings, ...AnySettings[]])
  .check(checkEpsilon);

/** Everything that makes one attack. */
export type AttackSettings = Readonly<z.infer<typeof attackSettings>>;

/** The rule that settings which were checked are run by. */
export function ruleOf({ rule }: AttackSettings): Rule {
  return rules.find(({ settings }) => (settings.shape.rule as z.ZodLiteral).value === rule)!;
}

/** Passes of one image through one model that the attack takes. */
export function gradientsPerImage(settings: AttackSettings): number {
  const checked = parse(attackSettings, settings, 'settings');
  return checked.steps * checked.restarts * (ruleOf(checked).searches?.(checked) ?? 1);
}
