import { invalid } from '../errors.js';

/** Balls the perturbation is kept in. */
export type AttackNorm = 'linf' | 'l2' | 'l1';

const NORMS: readonly AttackNorm[] = ['linf', 'l2', 'l1'];

/** What every attack has. Lengths are in [0, 1] pixel units. */
export interface CommonSettings {
  readonly name: string;
  readonly norm: AttackNorm;
  /** Radius of the ball around the clean image. */
  readonly epsilon: number;
  readonly steps: number;
  /** Start uniformly inside the ball instead of at the image. */
  readonly randomStart: boolean;
  /** Independent runs of which the best is kept. */
  readonly restarts: number;
}

/** Steps of one length along the gradient: `fgsm`, `pgd` and `miFgsm` fill it in. */
export interface FixedSettings extends CommonSettings {
  readonly rule: 'fixed';
  readonly stepSize: number;
  /** Decay of the accumulated gradient (MI-FGSM); 0 is plain ascent. */
  readonly momentum: number;
  /** `best`: the best iterate by the objective, which costs one more forward pass; `last`: the last one. */
  readonly keep: 'best' | 'last';
}

/** Steps that halve, and a return to the best point, where progress stalls: `apgd`. */
export interface AdaptiveSettings extends CommonSettings {
  readonly rule: 'adaptive';
}

/** The shortest perturbation that lifts the objective above `confidence`: `carliniWagner`. */
export interface CarliniWagnerSettings extends CommonSettings {
  readonly rule: 'carlini-wagner';
  readonly learningRate: number;
  /** Searches for the weight of the objective against length. */
  readonly searches: number;
  readonly confidence: number;
}

/** Random squares, kept where they raise the objective; no gradients: `square`. */
export interface SquareSettings extends CommonSettings {
  readonly rule: 'square';
  /** Share of the image that the first squares cover. */
  readonly share: number;
}

/** Everything that makes one attack. */
export type AttackSettings = FixedSettings | AdaptiveSettings | CarliniWagnerSettings | SquareSettings;

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

export interface ApgdOptions {
  norm?: AttackNorm;
  epsilon: number;
  /** Default 100, as published. */
  steps?: number;
  /** Default 1. */
  restarts?: number;
}

export interface CarliniWagnerOptions {
  /** Perturbations longer than this (l2) are cut to it. */
  epsilon: number;
  /** Of the optimiser, per search (default 50). */
  steps?: number;
  /** Default 4. */
  searches?: number;
  /** Of Adam in tanh space (default 0.05). */
  learningRate?: number;
  /** The objective counts as reached above this value (default 0). */
  confidence?: number;
}

export interface SquareOptions {
  norm?: 'linf' | 'l2';
  epsilon: number;
  /** Queries (default 500). */
  steps?: number;
  /** Default 0.3. */
  share?: number;
  restarts?: number;
}

/** One step of length epsilon (Goodfellow et al., 2015). */
export function fgsm({ norm = 'linf', epsilon, randomStart = false }: FgsmOptions): FixedSettings {
  const single = { rule: 'fixed' as const, steps: 1, stepSize: epsilon, momentum: 0, restarts: 1 };
  return checkSettings({ name: 'fgsm', norm, epsilon, randomStart, ...single, keep: 'best' });
}

/** Projected gradient ascent from random starts (Madry et al., 2018). */
export function pgd(options: PgdOptions): FixedSettings {
  const { norm = 'linf', epsilon, steps = 20, restarts = 1, randomStart = true, keep = 'best' } = options;
  const { stepSize = (2.5 * epsilon) / steps } = options;
  const common = { norm, epsilon, steps, randomStart, restarts };
  return checkSettings({ name: 'pgd', ...common, rule: 'fixed', stepSize, momentum: 0, keep });
}

/** Momentum iterative FGSM (Dong et al., 2018): gradients scaled to mean absolute value 1 and accumulated. */
export function miFgsm(options: MiFgsmOptions): FixedSettings {
  const { epsilon, steps = 10, stepSize = epsilon / steps, randomStart = false, momentum = 1 } = options;
  const { norm = 'linf', restarts = 1, keep = 'best' } = options;
  const common = { norm, epsilon, steps, randomStart, restarts };
  return checkSettings({ name: 'mi-fgsm', ...common, rule: 'fixed', stepSize, momentum, keep });
}

/** Auto-PGD (Croce and Hein, ICML 2020): first step 2 epsilon, momentum 0.75, halving at the published checkpoints. */
export function apgd({ norm = 'linf', epsilon, steps = 100, restarts = 1 }: ApgdOptions): AdaptiveSettings {
  return checkSettings({ name: 'apgd', norm, epsilon, steps, randomStart: true, restarts, rule: 'adaptive' });
}

/**
 * Carlini and Wagner's l2 attack (2017) on an objective: Adam on |delta|² + c max(confidence - objective, 0) in tanh
 * space, c searched by halving and tenfolding. Made for objectives with a boundary at 0 (`centroid-margin`).
 */
export function carliniWagner(options: CarliniWagnerOptions): CarliniWagnerSettings {
  const { epsilon, steps = 50, searches = 4, learningRate = 0.05, confidence = 0 } = options;
  const common = { name: 'cw', norm: 'l2', epsilon, steps, randomStart: false, restarts: 1 } as const;
  return checkSettings({ ...common, rule: 'carlini-wagner', learningRate, searches, confidence });
}

/** Square attack (Andriushchenko et al., ECCV 2020): black-box random search. */
export function square(options: SquareOptions): SquareSettings {
  const { norm = 'linf', epsilon, steps = 500, share = 0.3, restarts = 1 } = options;
  return checkSettings({ name: 'square', norm, epsilon, steps, randomStart: true, restarts, rule: 'square', share });
}

/** Passes of one image through one model that the attack takes. */
export function gradientsPerImage(settings: AttackSettings): number {
  return settings.steps * settings.restarts * (settings.rule === 'carlini-wagner' ? settings.searches : 1);
}

/** Throws unless every setting is usable; returns `settings`. */
export function checkSettings<T extends AttackSettings>(settings: T): T {
  const { norm, epsilon, steps, restarts } = settings;
  if (!NORMS.includes(norm)) throw invalid('norm', `one of ${NORMS.join(', ')}`, norm);
  if (!isLength(epsilon)) throw invalid('epsilon', 'a finite number >= 0 in [0, 1] pixel units', epsilon);
  if (!isCount(steps)) throw invalid('steps', 'a positive integer', steps);
  if (!isCount(restarts)) throw invalid('restarts', 'a positive integer', restarts);
  const given: AttackSettings = settings;
  if (given.rule === 'fixed') checkFixed(given);
  if (given.rule === 'carlini-wagner') checkCarliniWagner(given);
  if (given.rule === 'square') checkSquare(given);
  return settings;
}

function checkFixed({ stepSize, momentum, keep }: FixedSettings): void {
  if (!isLength(stepSize)) throw invalid('stepSize', 'a finite number >= 0 in [0, 1] pixel units', stepSize);
  if (!isLength(momentum)) throw invalid('momentum', 'a finite number >= 0', momentum);
  if (keep !== 'best' && keep !== 'last') throw invalid('keep', 'best or last', keep);
}

function checkCarliniWagner({ searches, learningRate, confidence }: CarliniWagnerSettings): void {
  if (!isCount(searches)) throw invalid('searches', 'a positive integer', searches);
  if (!isLength(learningRate)) throw invalid('learningRate', 'a finite number >= 0', learningRate);
  if (!Number.isFinite(confidence)) throw invalid('confidence', 'a finite number', confidence);
}

function checkSquare({ norm, share }: SquareSettings): void {
  if (norm === 'l1') throw invalid('norm', 'linf or l2 for the square attack', norm);
  if (!(share > 0 && share <= 1)) throw invalid('share', 'a share of the image in (0, 1]', share);
}

function isLength(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
