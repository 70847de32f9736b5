import type { EvaluationReport } from '../evaluation/index.js';
import { radiusText } from '../radius-text.js';

/** A curve of the worst case along an axis, point by point. */
export interface Curve {
  axis: 'epsilon' | 'steps';
  points: readonly (EvaluationReport['worst'] & { x: number; text: string })[];
}

export function radiusCurve({ curve }: EvaluationReport): Curve | undefined {
  if (!curve) return undefined;
  return { axis: 'epsilon', points: curve.map((at) => ({ ...at, x: at.epsilon, text: radiusText(at.epsilon) })) };
}

export function stepCurve({ stepCurve: curve }: EvaluationReport): Curve | undefined {
  return curve && { axis: 'steps', points: curve.map((at) => ({ ...at, x: at.steps, text: String(at.steps) })) };
}
