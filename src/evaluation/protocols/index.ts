import type { z } from 'zod';
import { partsOf } from '../../part.js';
import * as protocols from './list.js';
import type { Observer, Protocol, ProtocolRun } from './protocol.js';

const PROTOCOLS = partsOf(protocols);

type Shape = (typeof PROTOCOLS)[number]['options']['shape'];
type All<Union> = (Union extends unknown ? (shape: Union) => void : never) extends (shape: infer Every) => void
  ? Every
  : never;

type OfAttack<Made> = Made extends Protocol<infer Fields, infer _> ? Fields : never;
type OfReport<Made> = Made extends Protocol<infer _, infer Fields> ? Fields : never;
type Made = ReturnType<(typeof PROTOCOLS)[number]['make']>;

/** What the protocols add to the result of an attack. */
export type AttackFields = All<OfAttack<Made>>;

/** What they add to a report. */
export type ReportFields = All<OfReport<Made>>;

/** The options of all protocols, as keys of an evaluation. */
export const protocolShape = Object.assign({}, ...PROTOCOLS.map(({ options }) => options.shape)) as All<Shape>;

/** The protocols that the options ask for, at work. */
export async function observersOf(options: Record<string, unknown>, run: ProtocolRun): Promise<Observer[]> {
  const observers: Observer[] = [];
  for (const { options: schema, make } of PROTOCOLS) {
    const own = Object.fromEntries(Object.keys(schema.shape).map((key) => [key, options[key]]));
    const protocol = (make as (options: z.input<z.ZodObject>) => Protocol)(own);
    const observer = await protocol(run);
    if (observer) observers.push(observer);
  }
  return observers;
}
