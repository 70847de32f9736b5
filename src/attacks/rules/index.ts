import type { z } from 'zod';
import type { Ascent } from '../ascent.js';
import type { Candidate } from '../candidate.js';
import { adaptiveAscent, adaptiveSettings } from './apgd.js';
import { carliniWagnerAscent, carliniWagnerSettings } from './carlini-wagner.js';
import { fixedAscent, fixedSettings } from './pgd.js';
import { squareSearch, squareSettings } from './square.js';

interface Rule<Settings extends z.ZodObject> {
  settings: Settings;
  /** One restart. */
  ascend(ascent: Ascent, settings: z.infer<Settings>): Candidate;
}

function rule<Settings extends z.ZodObject>(settings: Settings, ascend: Rule<Settings>['ascend']): Rule<Settings> {
  return { settings, ascend };
}

/** How an attack moves, by its settings' `rule`. */
export const RULES = {
  fixed: rule(fixedSettings, fixedAscent),
  adaptive: rule(adaptiveSettings, adaptiveAscent),
  'carlini-wagner': rule(carliniWagnerSettings, carliniWagnerAscent),
  square: rule(squareSettings, squareSearch),
};
