import { gradientsPerImage } from '../attacks/settings.js';
import type { AttackPlan } from './suites/index.js';

/** What an evaluation reports after every attacked batch. */
export interface EvaluationProgress {
  phase: 'attack';
  /** Name of the attack under way. */
  attack: string;
  /** Images attacked so far over all attacks, of `total`. */
  done: number;
  total: number;
  /** Images attacked per second, over the attacks so far. */
  imagesPerSecond: number;
  /** Seconds left, an attack of twice the steps counting twice. */
  etaSeconds: number;
}

/** An attack, as its progress is told. */
type Attacking = Pick<AttackPlan, 'name' | 'settings'>;

/** Call the result after every batch; counts the work in gradients, as the attacks differ in steps. */
export function progressReporter(
  onProgress: ((progress: EvaluationProgress) => void) | undefined,
  plans: readonly Attacking[],
  images: number,
): (plan: Attacking, batch: number) => void {
  const start = performance.now();
  const work = plans.reduce((sum, { settings }) => sum + gradientsPerImage(settings) * images, 0);
  let [done, worked] = [0, 0];
  return ({ name, settings }, batch) => {
    done += batch;
    worked += batch * gradientsPerImage(settings);
    const elapsed = (performance.now() - start) / 1000;
    const etaSeconds = (elapsed * (work - worked)) / worked;
    const imagesPerSecond = done / Math.max(elapsed, 1e-9);
    onProgress?.({
      phase: 'attack',
      attack: name,
      done: Math.round(done),
      total: plans.length * images,
      imagesPerSecond,
      etaSeconds,
    });
  };
}
