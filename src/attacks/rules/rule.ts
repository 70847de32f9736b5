import type { z } from 'zod';
import { type Part, part } from '../../part.js';
import type { Readable } from '../../tfjs/index.js';
import type { Ascent } from '../ascent.js';
import type { Candidate } from '../candidate.js';
import type { CommonSettings } from './common.js';

/** How attacks with these settings move; several attacks may share one. */
export interface Rule<Settings extends z.ZodObject = z.ZodObject> {
  /** `rule` among them is a literal: settings say by it which rule runs them. */
  settings: Settings;
  /** One restart; a reading where what it does next depends on values. */
  ascend(ascent: Ascent, settings: z.infer<Settings>): Readable<Candidate>;
  /** Runs of all the steps in one restart (default 1). */
  searches?(settings: z.infer<Settings>): number;
  /** It weighs image by image: objectives must have one value per sample. */
  perSample?: true;
}

/** An attack: a part whose options become settings, and the rule that runs them. */
export interface AttackPart<
  Name extends string = string,
  Options extends z.ZodObject = z.ZodObject,
  Settings extends z.ZodObject = z.ZodObject,
> extends Part<Name, Options, Readonly<z.infer<Settings>> & CommonSettings> {
  readonly rule: Rule<Settings>;
}

export function attackPart<const Name extends string, Options extends z.ZodObject, Settings extends z.ZodObject>(
  name: Name,
  title: string,
  options: Options,
  make: (options: z.input<Options>) => Readonly<z.infer<Settings>> & CommonSettings,
  rule: Rule<Settings>,
): AttackPart<Name, Options, Settings> {
  return { ...part(name, title, options, make), rule };
}
