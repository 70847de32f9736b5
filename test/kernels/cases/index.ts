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
