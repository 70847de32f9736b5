import { z } from 'zod';
import { parse } from '../options.js';
import { checkEpsilon } from './norm.js';
import { RULES } from './rules/index.js';

type AnySettings = (typeof RULES)[keyof typeof RULES]['settings'];

/** As a schema. */
export const attackSettings = z
  .discriminatedUnion('rule', Object.values(RULES).map(({ settings }) => settings) as [AnySettings, ...AnySettings[]])
  .check(checkEpsilon);

/** Everything that makes one attack. */
export type AttackSettings = Readonly<z.infer<typeof attackSettings>>;

/** Passes of one image through one model that the attack takes. */
export function gradientsPerImage(settings: AttackSettings): number {
  const { steps, restarts, ...rest } = parse(attackSettings, settings, 'settings');
  return steps * restarts * (rest.rule === 'carlini-wagner' ? rest.searches : 1);
}
