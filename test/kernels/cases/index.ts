import { fewOf } from '../../long.js';
import { attackCases } from './attacks.js';
import { convReluStackCases } from './conv-relu-stack.js';
import { distanceCases } from './distances.js';
import { productCases } from './products.js';
import { scaleCases } from './scales.js';
import { selectionCases } from './selection.js';
import { tensorCases } from './tensors.js';
import type { ParityCase } from './types.js';

/** The one case table: every kernel's shapes, edges, ties and extremes. */
export const allCases: ParityCase[] = [
  ...distanceCases,
  ...attackCases,
  ...scaleCases,
  ...productCases,
  ...convReluStackCases,
  ...tensorCases,
  ...selectionCases,
];

/**
 * Of each kernel some of its cases, all in the long form: for instruction sets that are forced and for the emulator. A prime number, so
 * that every metric has other shapes.
 */
export function someOf(cases: readonly ParityCase[]): ParityCase[] {
  const kernels = [...new Set(cases.map(({ kernel }) => kernel))];
  return kernels.flatMap((name) =>
    fewOf(
      cases.filter(({ kernel }) => kernel === name),
      19,
    ),
  );
}
