import { fewOf } from '../../long.js';
import { attackCases } from './attacks.js';
import { convReluStackCases } from './conv-relu-stack.js';
import { distanceCases } from './distances.js';
import { pixelCases } from './pixels.js';
import { productCases } from './products.js';
import { scaleCases } from './scales.js';
import { selectionCases } from './selection.js';
import { tensorCases } from './tensors.js';
import type { ParityCase } from './types.js';
import { winogradCases } from './winograd.js';

/** The one case table: every kernel's shapes, edges, ties and extremes. */
export const allCases: ParityCase[] = [
  ...distanceCases,
  ...attackCases,
  ...scaleCases,
  ...productCases,
  ...convReluStackCases,
  ...winogradCases,
  ...tensorCases,
  ...selectionCases,
  ...pixelCases,
];

/** A shape among many, plain or at a scale; other cases are of one edge each. */
const SWEPT = /\d+x\d+|\bd=\d/;

/**
 * For instruction sets that are forced and for the emulator: of each kernel every edge, and some of the shapes, all in the long form.
 * Their number is a prime, so that every metric has others.
 */
export function someOf(cases: readonly ParityCase[]): ParityCase[] {
  const kernels = [...new Set(cases.map(({ kernel }) => kernel))];
  return kernels.flatMap((name) => {
    const own = cases.filter(({ kernel }) => kernel === name);
    const swept = own.filter((row) => SWEPT.test(row.name));
    return [...own.filter((row) => !SWEPT.test(row.name)), ...fewOf(swept, 11)];
  });
}
