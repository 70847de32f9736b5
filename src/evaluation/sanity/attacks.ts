import { type AttackSettings, pgd, square } from '../../attacks/index.js';
import { progressReporter } from '../progress.js';
import type { SanitySetting } from './checks.js';

/** The goals of the checks: of the objectives with a value per image those that do most to clustering and to retrieval. */
export const GOALS = ['centroid-margin', 'retrieval'];

type Attacked = Pick<SanitySetting, 'norm' | 'epsilon' | 'data' | 'onProgress'>;

/** The attacks of the checks; there is no Square attack in l1. */
export function attacksOf(setting: Attacked) {
  const { norm, epsilon } = setting;
  const twice = Math.min(2 * epsilon, wholeBoxRadius(setting));
  const [short, long] = [5, 20].map((steps) => pgd({ norm, epsilon, steps }));
  const wide = pgd({ norm, epsilon: twice, steps: 20 });
  const box = pgd({ norm, epsilon: wholeBoxRadius(setting), steps: 30 });
  return { short, long, wide, box, black: norm === 'l1' ? undefined : square({ norm, epsilon, steps: 100 }) };
}

/** Tells how far the checks are, after each attack; all but that on the whole box are made for each goal. */
export function reporter(
  { onProgress }: Attacked,
  { short, long, wide, box, black }: ReturnType<typeof attacksOf>,
  images: number,
): (settings: AttackSettings) => void {
  const each = [short, long, wide, ...(black ? [black] : [])];
  const named = (settings: AttackSettings) => ({ name: 'sanity checks', settings });
  const onBatch = progressReporter(onProgress, [...GOALS.flatMap(() => each), box].map(named), images);
  return (settings) => onBatch(named(settings), images);
}

/** The radius that has every image of the box in reach. */
function wholeBoxRadius({ norm, data }: Attacked): number {
  const pixels = data.shape[0] * data.shape[1] * data.shape[2];
  return norm === 'linf' ? 1 : norm === 'l2' ? Math.sqrt(pixels) : pixels;
}
