import { invalid } from '../errors.js';

/** Balls the perturbation is kept in. */
export type AttackNorm = 'linf' | 'l2';

/** Everything that makes one gradient attack; `fgsm`, `pgd` and `miFgsm` fill it in. Lengths are in [0, 1] pixel units. */
export interface AttackSettings {
  readonly name: string;
  readonly norm: AttackNorm;
  /** Radius of the ball around the clean image. */
  readonly epsilon: number;
  readonly stepSize: number;
  readonly steps: number;
  /** Decay of the accumulated gradient (MI-FGSM); 0 is plain ascent. */
  readonly momentum: number;
  /** Start uniformly inside the ball instead of at the image. */
  readonly randomStart: boolean;
  /** Independent runs of which the best is kept. */
  readonly restarts: number;
  /** `best`: the best iterate by the objective, which costs one more forward pass; `last`: the last one. */
  readonly keep: 'best' | 'last';
}

export interface FgsmOptions {
  norm?: AttackNorm;
  epsilon: number;
  randomStart?: boolean;
}

export interface PgdOptions {
  norm?: AttackNorm;
  epsilon: number;
  /** Default 20. */
  steps?: number;
  /** Default 2.5 epsilon / steps, so that every point of the ball can be reached. */
  stepSize?: number;
  /** Default true. */
  randomStart?: boolean;
  /** Default 1. */
  restarts?: number;
  /** Default `best`. */
  keep?: 'best' | 'last';
}

export interface MiFgsmOptions extends PgdOptions {
  /** Default 1. */
  momentum?: number;
}

/** One step of length epsilon (Goodfellow et al., 2015). */
export function fgsm({ norm = 'linf', epsilon, randomStart = false }: FgsmOptions): AttackSettings {
  const single = { steps: 1, stepSize: epsilon, momentum: 0, restarts: 1, keep: 'best' as const };
  return checkSettings({ name: 'fgsm', norm, epsilon, randomStart, ...single });
}

/** Projected gradient ascent from random starts (Madry et al., 2018). */
export function pgd(options: PgdOptions): AttackSettings {
  const { norm = 'linf', epsilon, steps = 20, restarts = 1, randomStart = true, keep = 'best' } = options;
  const { stepSize = (2.5 * epsilon) / steps } = options;
  return checkSettings({ name: 'pgd', norm, epsilon, stepSize, steps, momentum: 0, randomStart, restarts, keep });
}

/** Momentum iterative FGSM (Dong et al., 2018): gradients scaled to mean absolute value 1 and accumulated. */
export function miFgsm(options: MiFgsmOptions): AttackSettings {
  const { epsilon, steps = 10, stepSize = epsilon / steps, randomStart = false, momentum = 1 } = options;
  const { norm = 'linf', restarts = 1, keep = 'best' } = options;
  return checkSettings({ name: 'mi-fgsm', norm, epsilon, stepSize, steps, momentum, randomStart, restarts, keep });
}

/** Gradients of one image through one model that the attack takes. */
export function gradientsPerImage({ steps, restarts }: AttackSettings): number {
  return steps * restarts;
}

/** Throws unless every setting is usable; returns `settings`. */
export function checkSettings(settings: AttackSettings): AttackSettings {
  const { norm, epsilon, stepSize, steps, momentum, restarts, keep } = settings;
  if (norm !== 'linf' && norm !== 'l2') throw invalid('norm', 'linf or l2', norm);
  if (!isLength(epsilon)) throw invalid('epsilon', 'a finite number >= 0 in [0, 1] pixel units', epsilon);
  if (!isCount(steps)) throw invalid('steps', 'a positive integer', steps);
  if (!isLength(stepSize)) throw invalid('stepSize', 'a finite number >= 0 in [0, 1] pixel units', stepSize);
  if (!isCount(restarts)) throw invalid('restarts', 'a positive integer', restarts);
  if (!isLength(momentum)) throw invalid('momentum', 'a finite number >= 0', momentum);
  if (keep !== 'best' && keep !== 'last') throw invalid('keep', 'best or last', keep);
  return settings;
}

function isLength(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
