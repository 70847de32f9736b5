import { z } from 'zod';
import { nonNegative } from '../options.js';

/** Balls the perturbation is kept in. */
export const attackNorm = z.enum(['linf', 'l2', 'l1']);

/** The norm that a perturbation is measured in: `linf`, `l2` or `l1`. */
export type AttackNorm = z.infer<typeof attackNorm>;

/** Radius of a ball or length of a step; what it may be depends on the norm: {@link checkRadius}. */
export const radius = nonNegative;

interface Measured {
  norm?: AttackNorm;
  epsilon?: number;
  stepSize?: number;
}

/**
 * In linf a radius, or a step, above 1 leaves the box from everywhere: it was meant in 255ths. In l2 and l1 images are longer
 * than that. For an object with norm (linf when absent), epsilon and perhaps stepSize.
 */
export function checkRadius(payload: z.core.ParsePayload<Measured>): void {
  checkEpsilon(payload);
  checkLength(payload, 'stepSize');
}

/** {@link checkRadius} of the radius alone. */
export function checkEpsilon(payload: z.core.ParsePayload<Measured>): void {
  checkLength(payload, 'epsilon');
}

/** The same of a list of radii. */
export function checkRadii({ value, issues }: z.core.ParsePayload<Measured & { epsilons?: readonly number[] }>): void {
  for (const [i, epsilon] of (value.epsilons ?? []).entries()) {
    const found: typeof issues = [];
    checkEpsilon({ value: { norm: value.norm, epsilon }, issues: found });
    for (const issue of found) issues.push({ ...issue, path: ['epsilons', i] });
  }
}

function checkLength({ value, issues }: z.core.ParsePayload<Measured>, key: 'epsilon' | 'stepSize'): void {
  const given = value[key];
  if ((value.norm ?? 'linf') !== 'linf' || given === undefined || given <= 1) return;
  const params = given <= 255 ? { suggestion: `${given}/255` } : undefined;
  const message = 'a number from 0 to 1 (in linf, in [0, 1] pixel units)';
  issues.push({ code: 'custom', path: [key], message, input: given, params });
}
